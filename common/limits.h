/*
 * Limits that more than one folder uses, each with its reason.
 */
#ifndef TRIZONE_COMMON_LIMITS_H
#define TRIZONE_COMMON_LIMITS_H

#define FRAME_MAX_BYTES (1u << 20) /* largest message any method needs */
#define JSON_MAX_DEPTH 16	   /* our deepest message has 7 levels */
#define JSON_MAX_NODES 65536u	   /* 3 MiB of nodes for the worst frame */
#define JSON_MAX_MEMBERS 256u	   /* the duplicate check is quadratic in it */
#define JSON_NUMBER_BYTES 64	   /* longest spelling of one number */

/* raw bytes in one stream chunk; 64 KiB in base64 */
#define CHUNK_BYTES (48u * 1024)
#define CREDIT_BYTES (256u * 1024) /* raw bytes a sender may be ahead */

/* largest mail taken; most servers stop at 25 MB, base64 included */
#define MAIL_MAX_BYTES (32u << 20)
#define CLEAN_MAX_BYTES (512u * 1024) /* a clean object fits half a frame */
#define CLEAN_BODY_CHARS 100000	      /* body characters a planner can use */

#define NAME_MAX_BYTES 64    /* capability, zone, rule and credential names */
#define WHY_MAX_BYTES 300    /* a reason fits two lines of a terminal */
#define TASK_MAX_BYTES 15000 /* the operator's words for a session */
#define HANDLE_MAX_BYTES 32  /* "msg:" and a 64-bit number */

#define HELLO_DEADLINE_MS 5000	  /* a peer that says nothing is no peer */
#define FRAME_DEADLINE_MS 10000	  /* from a frame's first byte to its last */
#define REQUEST_DEADLINE_MS 30000 /* an answer or a typed failure by then */

#endif
