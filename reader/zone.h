/*
 * The reader as a zone: serves the executor on one channel, an item at a
 * time, each in a disposable worker.
 */
#ifndef TRIZONE_READER_ZONE_H
#define TRIZONE_READER_ZONE_H

/* Serve `channel` (see proto/endpoint.h) as `zone` until it closes. Returns an
 * exit status. */
int zone_run(const char *channel, const char *zone, const char *user);

#endif
