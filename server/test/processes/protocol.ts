/** What the child of the channel's test answers. */
export interface AskedOfChild {
  double(n: number): number;
  fail(message: string): null;
  askBack(n: number): number;
  silence(request: null): null;
  end(request: null): null;
}

export interface AskedOfParent {
  add(request: { readonly a: number; readonly b: number }): number;
}
