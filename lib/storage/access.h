#ifndef LIB_STORAGE_ACCESS_H
#define LIB_STORAGE_ACCESS_H
/*
 * access: the options of a tool that say what opens a storage, once for all tools. a is a struct
 * storage_access.
 */
#include "lib/base/opt.h"
#include "lib/storage/storage.h"

/* clang-format off */
#define ACCESS_OPTIONS(a) \
	{ OPT_TEXT, 0, "password-file", "FILE", &(a).password_file, \
	  "the password of the user in an sftp, http or https address, or of the SSH key", \
	  "SOURCE_PASSWORD_FILE", false, NULL }, \
	{ OPT_TEXT, 0, "token-file", "FILE", &(a).token_file, \
	  "a bearer token for an http or https address", "SOURCE_TOKEN_FILE", false, NULL }, \
	{ OPT_TEXT, 0, "ssh-key", "FILE", &(a).ssh_key_file, \
	  "the private key for an sftp address; default: those of the agent", "SSH_KEY_FILE", false, NULL }, \
	{ OPT_TEXT, 0, "known-hosts", "FILE", &(a).known_hosts_file, \
	  "the keys of SSH servers; default ~/.ssh/known_hosts", "SSH_KNOWN_HOSTS_FILE", false, NULL }
/* clang-format on */
#endif
