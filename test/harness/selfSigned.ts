/**
 * A certificate that nobody has signed but itself, for localhost, 127.0.0.1 and api.example.test, and its key: good for
 * nothing but tests. Made by `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj
 * "/CN=API Live Sync tests" -addext "subjectAltName=DNS:localhost,DNS:api.example.test,IP:127.0.0.1"`.
 */
export const selfSigned = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBwjCCAWigAwIBAgIUNwjPp9y4FQBG7/sDow+oCEfjsZAwCgYIKoZIzj0EAwIw
HjEcMBoGA1UEAwwTQVBJIExpdmUgU3luYyB0ZXN0czAgFw0yNjExMjExNjI0MTZa
GA8yMTI2MTAyODE2MjQxNlowHjEcMBoGA1UEAwwTQVBJIExpdmUgU3luYyB0ZXN0
czBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABEm62Jz1y/ZVfVxFeuo6SIlHX3h6
1eUJKD8up9UuqYKGQxjqdA8Y73KvHEcwIZajtyCcL4zPndaEGE/2nXP+vNujgYEw
fzAdBgNVHQ4EFgQUri6sed9Uv1EIvNxHB5NWfxS2gNIwHwYDVR0jBBgwFoAUri6s
ed9Uv1EIvNxHB5NWfxS2gNIwDwYDVR0TAQH/BAUwAwEB/zAsBgNVHREEJTAjggls
b2NhbGhvc3SCEGFwaS5leGFtcGxlLnRlc3SHBH8AAAEwCgYIKoZIzj0EAwIDSAAw
RQIgMukUZrcpIQ5TVHckvl/6XcYwK/3I9v7nK6o6VSJ951oCIQDt6eT6iRFrNniH
Zjltfoq7KyLjvx23ZnvXy8C6BNAq+w==
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgZFXN7BEEhJacU/V0
5mSBjSEy2cVRAdvC6nDYLmZshY6hRANCAARJutic9cv2VX1cRXrqOkiJR194etXl
CSg/LqfVLqmChkMY6nQPGO9yrxxHMCGWo7cgnC+Mz53WhBhP9p1z/rzb
-----END PRIVATE KEY-----
`,
};
