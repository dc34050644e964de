#ifndef LIB_STORAGE_AWSCHAIN_H
#define LIB_STORAGE_AWSCHAIN_H
/*
 * awschain: where keys are looked for, the first to have some wins ("Standardized credential
 * providers", AWS SDKs and Tools Reference Guide):
 *
 *  1. AWS_ACCESS_KEY_ID + AWS_SECRET_ACCESS_KEY (+ AWS_SESSION_TOKEN)
 *  2. the profile's role_arn with source_profile, credential_source or web_identity_token_file
 *  3. AWS_ROLE_ARN + AWS_WEB_IDENTITY_TOKEN_FILE (Kubernetes)
 *  4. the profile's aws_access_key_id + aws_secret_access_key (+ aws_session_token)
 *  5. the profile's credential_process
 *  6. AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI (ECS, EKS)
 *  7. the instance's role (EC2, IMDSv2)
 *
 * Sign-on by a browser (sso_session) is not for a program that runs at night; the message says how
 * to have the AWS tool hand such keys over.
 */
#include "lib/storage/aws.h"
#include "lib/storage/awskey.h"

/* Fills *out, or -1: ERR_USAGE when there are none, ERR_REMOTE when a service refuses. */
int awschain_find(const struct aws *where, struct awskey *out, struct err *e);
#endif
