/**
 * A self-signed certificate for `localhost` and 127.0.0.1, made for the tests and good for nothing
 * else: its key is public. Made by
 * `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=localhost
 * -addext subjectAltName=DNS:localhost,IP:127.0.0.1`.
 */
export const certificate = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUMUWQO7iEwhP1MeJlnG1wzEWoDB8wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjAxMTI0N1oYDzIxMjYxMDI5
MDExMjQ3WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARxpWfQzdTWKcdLsKQanL0M9rMbqHD4QD+pamKeTVwppyBtwgcc6xyI
DEZeMDzB4fmEpgAZoJyglG7f7KTMMjYBo28wbTAdBgNVHQ4EFgQUg9BE3VH3fCAP
DZ7ZaPNMwV/BgkowHwYDVR0jBBgwFoAUg9BE3VH3fCAPDZ7ZaPNMwV/BgkowDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDRwAwRAIgcMy8rPdimdN60M1IzXNXlCERlQPItdH33NVqriC5VzMCIEuY
jmnJ2yPe18ftW8xJpaF0X4vXgswH2kW2Ix7FMTwl
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgqS93ggAZ8tqJ8roj
iD8FcrIJM6uF615Su9ddzrJ0VSyhRANCAARxpWfQzdTWKcdLsKQanL0M9rMbqHD4
QD+pamKeTVwppyBtwgcc6xyIDEZeMDzB4fmEpgAZoJyglG7f7KTMMjYB
-----END PRIVATE KEY-----
`,
};
