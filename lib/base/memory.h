#ifndef LIB_BASE_MEMORY_H
#define LIB_BASE_MEMORY_H
/*
 * memory: how much of it there is for us: the machine's, or what the control group allows.
 */
#include <stdint.h>

uint64_t memory_b(void);
#endif
