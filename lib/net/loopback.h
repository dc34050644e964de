#ifndef LIB_NET_LOOPBACK_H
#define LIB_NET_LOOPBACK_H
/*
 * loopback: may a secret go to this address in clear text? Only where it does not leave the
 * machine.
 */
#include <stdbool.h>

/* localhost, 127.0.0.0/8 or [::1]; the name as it is written, nothing is looked up. */
bool loopback_url(const char *url);
#endif
