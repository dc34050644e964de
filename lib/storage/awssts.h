#ifndef LIB_STORAGE_AWSSTS_H
#define LIB_STORAGE_AWSSTS_H
/*
 * awssts: the keys of a role, from the Security Token Service ("AWS Security Token Service API
 * Reference": AssumeRole, AssumeRoleWithWebIdentity).
 */
#include "lib/storage/aws.h"
#include "lib/storage/awskey.h"

struct awssts_role {
	const char *arn;
	const char *session;     /* NULL: a name of our own */
	const char *external_id; /* NULL: none */
	const char *duration_s;  /* NULL: an hour */
};

/* As whom the role is asked for: by is signed with, or, where it is NULL, token_file holds an
 * OpenID Connect token (read anew each time: Kubernetes replaces it). */
int awssts_assume(const struct aws *where, const struct awssts_role *role, const struct awskey *by,
		  const char *token_file, struct awskey *out, struct err *e);
#endif
