/* SPDX-License-Identifier: BSD-3-Clause */
/* Includes config.def with those row macros empty that the includer did not define; no guard. */
#ifndef OBJECT
#define OBJECT(id, path, text)
#endif
#ifndef SETTING
#define SETTING(id, key, type, field, min, max, fallback, text)
#endif
#ifndef FLAGGED
#define FLAGGED(id, key, type, field, flag, fallback, text)
#endif
#ifndef WORD
#define WORD(id, key, type, field, words, fallback, text)
#endif
#ifndef LIST
#define LIST(id, key, type, field, count, max, fallback, text)
#endif
#ifndef CHILD
#define CHILD(id, key, child, text)
#endif
#ifndef FLAGGED_CHILD
#define FLAGGED_CHILD(id, key, child, flag, text)
#endif
#ifndef CHILDREN
#define CHILDREN(id, key, child, field, count, max, text)
#endif
#include "config.def"
#undef OBJECT
#undef SETTING
#undef FLAGGED
#undef WORD
#undef LIST
#undef CHILD
#undef FLAGGED_CHILD
#undef CHILDREN
