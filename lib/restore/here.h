#ifndef LIB_RESTORE_HERE_H
#define LIB_RESTORE_HERE_H
/*
 * here: failures that speak of this machine and not of the backup: a full disk, a server that is
 * gone, an extension or a locale that is not installed. They prove nothing about the backup, so
 * they make a restore unknown, not critical; but it still did not restore.
 */

/* What is the matter here, and the way out ("...; install ..."); NULL: nothing is, as far as the
 * server's English message tells. */
const char *here_reason(const char *message);
#endif
