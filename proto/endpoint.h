/*
 * Where a channel begins: "unix:PATH", "serial:PATH" (the port of a virtual
 * machine) or "stdio".
 */
#ifndef TRIZONE_PROTO_ENDPOINT_H
#define TRIZONE_PROTO_ENDPOINT_H

/* Longest socket path every system takes: sun_path of macOS, NUL included. */
#define SOCKET_PATH_BYTES 104

/* Open the far end named by `spec` and fill in both descriptors (for a socket
 * they are the same). 0; -ERR_RANGE for a spec that is none; -ERR_PATH for a
 * socket path that is too long; -ERR_UNAVAILABLE when nobody listens; what
 * serial_open says. */
int endpoint_open(const char *spec, int *fd_in_out, int *fd_out_out);

/* Connect to the Unix socket at `path`; a descriptor or a negative error as
 * above. */
int endpoint_connect(const char *path);

/* Listen on `path` with `mode`; replaces a socket nobody listens on any more,
 * never another file. A descriptor; -ERR_BUSY: somebody listens there;
 * -ERR_WRONG_STATE: it is no socket; or another negative error. */
int endpoint_listen(const char *path, unsigned mode, int backlog);

#endif
