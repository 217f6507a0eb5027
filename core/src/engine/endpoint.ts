/** An endpoint, such as a receiver's origin, whose calls fail. */
export interface FailingEndpoint {
  readonly connectionId: string;
  /** The provider's `endpointKey`. */
  readonly endpoint: string;
  /** `disabled`: it failed for five days, and gets one call an hour. */
  readonly state: 'failing' | 'disabled';
  /** Since when no process that calls it saw it work. */
  readonly since: Date;
  /** The last time that this was found so. */
  readonly checkedAt: Date;
}
