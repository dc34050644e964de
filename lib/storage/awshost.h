#ifndef LIB_STORAGE_AWSHOST_H
#define LIB_STORAGE_AWSHOST_H
/*
 * awshost: keys from the machine that we run on ("Container credential provider" and "IMDS
 * credential provider", AWS SDKs and Tools Reference Guide). Never through a proxy.
 *
 * container  AWS_CONTAINER_CREDENTIALS_RELATIVE_URI (at 169.254.170.2) or _FULL_URI (https, or
 *            http to this machine and the agents' addresses);
 * AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE or AWS_CONTAINER_AUTHORIZATION_TOKEN instance
 * AWS_EC2_METADATA_DISABLED, AWS_EC2_METADATA_V1_DISABLED, AWS_EC2_METADATA_SERVICE_ENDPOINT,
 * AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE (IPv6), AWS_METADATA_SERVICE_TIMEOUT (seconds, 1)
 */
#include "lib/storage/aws.h"
#include "lib/storage/awskey.h"

/* 1 and *out; 0: this machine has none to give; -1 with *e. */
int awshost_container(const struct aws *where, struct awskey *out, struct err *e);
int awshost_instance(struct awskey *out, struct err *e);
#endif
