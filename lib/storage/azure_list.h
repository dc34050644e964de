#ifndef LIB_STORAGE_AZURE_LIST_H
#define LIB_STORAGE_AZURE_LIST_H
/*
 * azure_list: the XML that lists the blobs of a container ("List Blobs", Azure Storage REST API).
 */
#include "lib/storage/keyspace.h"

/* Calls each for every blob of the page (directories of hierarchical accounts are none) and puts
 * the marker of the next page into next, nothing where there is none. ERR_REMOTE when it is no
 * EnumerationResults. */
int azure_list_parse(const char *xml, size_t len, keyspace_each *each, void *ctx, struct buf *next,
		     struct err *e);
#endif
