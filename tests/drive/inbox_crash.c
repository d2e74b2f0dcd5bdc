/*
 * Drive: inbox_crash [CRASHES [SEED]]. A child works on an inbox and is ended
 * at a random step of its store: killed, killed with what was not yet synced
 * lost (as by a power cut), or killed some time after input/output errors. It
 * reports each thing it was told is done; afterwards the inbox is opened again
 * and must agree with every report: each mail once, each effect at most once,
 * nothing acted on handed out again. Exit 0, or 1 with the first disagreement.
 *
 * The steps are the writes, syncs, cuts and deletes of SQLite (inbox_layer.c)
 * and the places between verbs.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/err.h"
#include "common/log.h"
#include "executor/inbox.h"
#include "tests/drive/inbox_layer.h"

#define MAILS 24      /* of one inbox; then a fresh one */
#define POISON 5      /* each such mail cannot be cleaned */
#define STEPS_MAX 400 /* a crash comes within so many steps */
#define ZONE SPAN("planner")

enum ending { KILL, POWER, IO_ERROR, ENDING_COUNT };

/* The child's fate; only the child counts. */
static enum ending ending;
static long steps_left = -1; /* -1: not counting */
static int failures_left;
static char folder[64];

/* What the child reported, as the parent believes it. */
static struct mail {
	int64_t id;    /* 0: not known to be delivered */
	int cleanings; /* but for those that may have been abandoned */
	int failures, effects;
	bool done;
} mails[MAILS];
static unsigned legs;
static int report_fd;

/* One step: true if it has to fail. After some failures the disk is well
 * again, and the child is killed later. */
bool
step(void)
{
	if (failures_left > 0) {
		failures_left--;
		return true;
	}
	if (steps_left < 0 || steps_left-- > 0)
		return false;
	if (ending == IO_ERROR) {
		failures_left = (int)(random() % 4);
		steps_left = random() % 100;
		ending = KILL;
		return true;
	}
	if (ending == POWER)
		layer_lose_power();
	raise(SIGKILL);
	return false;
}

/* The child. Tell the parent; what is in the pipe outlives the child. */
static void
report(char what, int64_t mail, int64_t value)
{
	int64_t line[3] = {what, mail, value};

	if (write(report_fd, line, sizeof line) != sizeof line)
		_exit(EXIT_FAILURE);
	step();
}

static size_t
mail_text(int mail, char *out, size_t room)
{
	size_t size = mail % 3 == 0 ? room : 200;

	memset(out, 'a' + mail, size);
	snprintf(out, 16, "%d\n", mail);
	return size;
}

static int
work_deliver(struct inbox *inbox, int mail)
{
	static char text[150000];
	size_t size = mail_text(mail, text, sizeof text);
	struct inbox_stage *stage;
	int64_t id;
	bool twice;
	int error;

	error = inbox_stage_begin(inbox, SPAN("mail"), size, &stage);
	if (error != 0)
		return error;
	step();
	error = inbox_stage_add(stage, text, size);
	step();
	if (error == 0)
		error = inbox_stage_commit(stage, NULL, &id, &twice);
	else
		inbox_stage_abort(stage);
	if (error == 0)
		report('D', mail, id);
	return error;
}

static int
mail_of(struct inbox *inbox, int64_t id, int *mail_out)
{
	char text[17] = "";
	size_t got;
	int error = inbox_raw_read(inbox, id, 0, text, 16, &got);

	if (error == 0)
		*mail_out = atoi(text);
	return error;
}

static int
work_clean(struct inbox *inbox)
{
	enum inbox_state state;
	int64_t id;
	int error, mail;

	error = inbox_next_new(inbox, SPAN("mail"), &id);
	if (error == 0)
		error = mail_of(inbox, id, &mail);
	if (error == 0)
		error = inbox_clean_begin(inbox, id);
	if (error != 0)
		return error;
	report('R', mail, id); /* the raw bytes went to a reader */
	if (random() % 8 == 0) {
		report('B', mail, id); /* may be given back from here on */
		return inbox_clean_abandon(inbox, id);
	}
	if (mail % POISON == 0) {
		error = inbox_clean_failed(inbox, id, SPAN("bad"), &state);
		if (error == 0)
			report('W', mail, id);
		return error;
	}
	return inbox_clean_done(inbox, id, SPAN("{\"v\":1}"), SPAN("{}"));
}

static int
work_act(struct inbox *inbox, int64_t session)
{
	int64_t id;
	int error, mail;

	error = inbox_claim(inbox, session, &id);
	if (error == 0)
		error = mail_of(inbox, id, &mail);
	if (error != 0)
		return error;
	step();
	if (random() % 8 == 0) /* gives it up, having done nothing */
		return inbox_session_ended(inbox, session);
	error = inbox_mark_acted(inbox, id, session);
	if (error != 0)
		return error;
	report('E', mail, id); /* the effect leaves */
	error = inbox_finish(inbox, id, session, SPAN("ok"));
	if (error == 0)
		report('F', mail, id);
	return error;
}

static int
work_session(struct inbox *inbox, int64_t session)
{
	unsigned leg = 1u << random() % 3;
	bool more;
	int error = inbox_session_add_legs(inbox, session, leg);

	if (error == 0) {
		report('L', 0, leg);
		error = inbox_expire(inbox, 0, &more);
	}
	return error;
}

/* At an error the next verb is tried: the disk may be well again. */
_Noreturn static void
work(unsigned seed, long crash_at)
{
	struct inbox *inbox = NULL;
	int64_t session = 0;

	srandom(seed);
	ending = (enum ending)(random() % ENDING_COUNT);
	steps_left = random() % crash_at;
	layer_remember(ending == POWER);
	dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
	while (inbox_open(folder, NULL, &inbox) != 0)
		step();
	while (inbox_session_new(inbox, ZONE, SESSION_STANDING, &session) != 0)
		step();
	for (;;) {
		step(); /* even when there is nothing left to do */
		work_deliver(inbox, (int)(random() % MAILS));
		work_clean(inbox);
		work_act(inbox, session);
		if (random() % 4 == 0)
			work_session(inbox, session);
	}
}

/* The parent. */
_Noreturn static void
disagree(const char *what, int mail, unsigned seed)
{
	printf("FAILED: %s: mail %d, seed %u, folder %s\n", what, mail, seed,
	    folder);
	exit(EXIT_FOUND);
}

static void
believe(int from, unsigned seed)
{
	int64_t line[3];

	while (read(from, line, sizeof line) == sizeof line) {
		struct mail *mail = &mails[line[1]];

		if (line[0] == 'L')
			legs |= (unsigned)line[2];
		else if (mail->id != 0 && mail->id != line[2])
			disagree("two ids", (int)line[1], seed);
		else
			mail->id = line[2];
		mail->cleanings += (line[0] == 'R') - (line[0] == 'B');
		mail->failures += line[0] == 'W';
		mail->effects += line[0] == 'E';
		mail->done |= line[0] == 'F';
		if (mail->cleanings > INBOX_ATTEMPTS_MAX ||
		    mail->failures > INBOX_FAILURES_MAX)
			disagree("cleaned too often", (int)line[1], seed);
		if (mail->effects > 1)
			disagree("acted twice", (int)line[1], seed);
	}
}

static void
check_mail(struct inbox *inbox, int number, unsigned seed)
{
	static char text[150000], stored[150000];
	size_t size = mail_text(number, text, sizeof text), got = 0;
	const struct mail *mail = &mails[number];
	struct inbox_item item;

	if (mail->id == 0)
		return;
	if (inbox_get(inbox, mail->id, &item) != 0)
		disagree("lost", number, seed);
	if (inbox_raw_read(inbox, mail->id, 0, stored, sizeof stored, &got) !=
		0 ||
	    got != size || memcmp(text, stored, size) != 0)
		disagree("other bytes", number, seed);
	if ((int)item.attempts < mail->cleanings ||
	    (int)item.failures < mail->failures)
		disagree("forgot an attempt", number, seed);
	if (mail->done && item.state != INBOX_DONE)
		disagree("done was lost", number, seed);
	if (mail->effects > 0 && item.state != INBOX_DONE &&
	    item.state != INBOX_INTERRUPTED)
		disagree("acted on and handed out again", number, seed);
	if (number % POISON == 0 && item.state != INBOX_NEW &&
	    item.state != INBOX_QUARANTINED)
		disagree("cleaned what cannot be", number, seed);
}

static void
check_ledger(struct inbox *inbox, unsigned seed)
{
	struct inbox_session session;

	if (legs == 0)
		return;
	if (inbox_session_get(inbox, 1, &session) != 0 ||
	    (session.legs & legs) != legs)
		disagree("a leg was lost", 0, seed);
}

/* All in a final state, after which only a new inbox gives more work. */
static bool
check(unsigned seed)
{
	struct inbox *inbox;
	struct inbox_counts counts;
	uint64_t all = 0, final;

	if (inbox_open(folder, NULL, &inbox) != 0)
		disagree("does not open", 0, seed);
	if (inbox_check(inbox) != 0)
		disagree("damaged", 0, seed);
	for (int i = 0; i < MAILS; i++)
		check_mail(inbox, i, seed);
	check_ledger(inbox, seed);
	counts = inbox_counts(inbox);
	for (int i = 0; i < INBOX_STATE_COUNT; i++)
		all += counts.items[i];
	if (all > MAILS)
		disagree("more items than mails", 0, seed);
	final = counts.items[INBOX_DONE] + counts.items[INBOX_QUARANTINED] +
		counts.items[INBOX_INTERRUPTED];
	inbox_close(inbox);
	return final == MAILS;
}

static void
folder_empty(void)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir != NULL)
		closedir(dir);
	memset(mails, 0, sizeof mails);
	legs = 0;
}

/* One child and its end. */
static void
crash(unsigned seed, long crash_at)
{
	int ends[2], status;
	pid_t child;

	if (pipe(ends) != 0)
		die_errno("pipe");
	child = fork();
	if (child < 0)
		die_errno("fork");
	if (child == 0) {
		close(ends[0]);
		report_fd = ends[1];
		work(seed, crash_at);
	}
	close(ends[1]);
	believe(ends[0], seed);
	close(ends[0]);
	waitpid(child, &status, 0);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		disagree("the child ended by itself", 0, seed);
}

int
main(int argc, char **argv)
{
	long crashes = argc > 1 ? strtol(argv[1], NULL, 10) : 150;
	unsigned seed = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1;
	int inboxes = 0;

	log_set_level(LOG_ERROR);
	layer_register();
	snprintf(folder, sizeof folder, "/tmp/inbox_crash.XXXXXX");
	if (mkdtemp(folder) == NULL)
		die_errno("mkdtemp");
	for (long i = 0; i < crashes; i++, seed++) {
		/* every other one soon, so that opening is hit as well */
		crash(seed, i % 2 == 0 ? STEPS_MAX : 40);
		if (check(seed)) {
			inboxes++;
			folder_empty();
		}
	}
	folder_empty();
	rmdir(folder);
	printf("inbox_crash: %ld crashes, %d inboxes worked to the end, all "
	       "as reported\n",
	    crashes, inboxes);
	return EXIT_DONE;
}
