/*
 * Opening below a root (attack case 15): plain paths, links, mounts, devices,
 * and names that are swapped while we open them. Each case is run through
 * openat2 and through the walk, which have to agree. TRIZONE_RACES sets how
 * often the races open (20,000).
 */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/err.h"
#include "executor/beneath.h"
#include "tests/unit/host.h"

typedef int opener(int root, const char *path, int flags, int *fd_out);

static opener *const openers[] = {beneath_open, beneath_walk};

/* A folder of its own for each test, with "sandbox" as the root. */
static char base[64];
static int root;

static void
make_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void
set_up(void)
{
	snprintf(base, sizeof base, "/tmp/test_beneath.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	ck_assert_int_eq(chdir(base), 0);
	ck_assert_int_eq(mkdir("sandbox", 0700), 0);
	ck_assert_int_eq(mkdir("sandbox/sub", 0700), 0);
	ck_assert_int_eq(mkdir("sandbox-evil", 0700), 0);
	make_file("secret", "secret");
	make_file("sandbox-evil/f", "secret");
	make_file("sandbox/f", "inside");
	make_file("sandbox/sub/f", "inside");
	ck_assert_int_eq(beneath_root("sandbox", &root), 0);
}

static void
tear_down(void)
{
	char command[128];

	close(root);
	ck_assert_int_eq(chdir("/"), 0);
	snprintf(command, sizeof command, "rm -rf %s", base);
	ck_assert_int_eq(system(command), 0);
}

static int
count_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			count++;
	return count;
}

/* Both ways, and no descriptor left behind. */
static void
expect(const char *path, int flags, int want)
{
	int before = count_descriptors();

	for (size_t i = 0; i < 2; i++) {
		int fd = -1, rc = openers[i](root, path, flags, &fd);

		ck_assert_msg(rc == want, "opener %zu: %s: %s, wanted %s", i,
		    path, err_name(rc), err_name(want));
		if (rc == 0)
			close(fd);
		else
			ck_assert_int_eq(fd, -1);
	}
	ck_assert_int_eq(count_descriptors(), before);
}

static void
expect_regular(const char *path, int want)
{
	struct stat status;
	int before = count_descriptors(), fd = -1;
	int rc = beneath_regular(root, path, &fd, &status);

	ck_assert_msg(rc == want, "%s: %s, wanted %s", path, err_name(rc),
	    err_name(want));
	if (rc == 0)
		close(fd);
	ck_assert_int_eq(count_descriptors(), before);
}

START_TEST(check_paths)
{
	static const char *const good[] = {"a", "a/b", ".a", "a.", "...", "..a",
	    "a..", "-", "a b", "\xc3\xa9/x", "a/...b/c"};
	static const char *const bad[] = {"", "/", "/a", ".", "..", "./a",
	    "a/.", "a/..", "../a", "a/../b", "a/./b", "a//b", "a/", "//",
	    "a\nb", "a\x7f", "a/b\x01/c", "a/b/../../../etc/shadow"};
	char detail[80];

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		ck_assert_msg(
		    beneath_check(span_of(good[i]), detail, sizeof detail) == 0,
		    "%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		detail[0] = '\0';
		ck_assert_msg(beneath_check(span_of(bad[i]), detail,
				  sizeof detail) == -ERR_PATH,
		    "%s", bad[i]);
		ck_assert_uint_gt(strlen(detail), 5);
	}
	ck_assert_int_eq(
	    beneath_check(SPAN("a\0b"), detail, sizeof detail), -ERR_PATH);
}
END_TEST

START_TEST(check_lengths)
{
	char path[BENEATH_PATH_BYTES + 2], detail[80];

	memset(path, 'a', sizeof path);
	ck_assert_int_eq(
	    beneath_check((struct span){path, 255}, detail, sizeof detail), 0);
	ck_assert_int_eq(
	    beneath_check((struct span){path, 256}, detail, sizeof detail),
	    -ERR_PATH);
	for (size_t i = 1; i < sizeof path; i += 2)
		path[i] = '/';
	path[BENEATH_PATH_BYTES - 1] = 'a';
	ck_assert_int_eq(beneath_check((struct span){path, BENEATH_PATH_BYTES},
			     detail, sizeof detail),
	    0);
	path[BENEATH_PATH_BYTES - 1] = '/';
	ck_assert_int_eq(
	    beneath_check((struct span){path, BENEATH_PATH_BYTES + 1}, detail,
		sizeof detail),
	    -ERR_PATH);
}
END_TEST

START_TEST(check_absolute)
{
	static const char *const bad[] = {
	    "", "/", "a", "//a", "/a/", "/a/..", "/./a", "/a//b"};
	char detail[80];

	ck_assert_int_eq(
	    beneath_check_absolute(SPAN("/srv/notes"), detail, sizeof detail),
	    0);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(beneath_check_absolute(span_of(bad[i]), detail,
				  sizeof detail) == -ERR_PATH,
		    "%s", bad[i]);
}
END_TEST

START_TEST(ordinary)
{
	expect("f", O_RDONLY, 0);
	expect("sub/f", O_RDONLY, 0);
	expect(".", O_RDONLY | O_DIRECTORY, 0);
	expect("sub", O_RDONLY | O_DIRECTORY, 0);
	expect("none", O_RDONLY, -ERR_NOT_FOUND);
	expect("none/f", O_RDONLY, -ERR_NOT_FOUND);
	expect("f/f", O_RDONLY, -ERR_NOT_FOUND);
	expect("f", O_RDONLY | O_DIRECTORY, -ERR_NOT_FOUND);
	expect_regular("f", 0);
	expect_regular("sub/f", 0);
	expect_regular("sub", -ERR_NOT_REGULAR);
	expect_regular("none", -ERR_NOT_FOUND);
}
END_TEST

START_TEST(upwards)
{
	expect("..", O_RDONLY, -ERR_PATH);
	expect("../secret", O_RDONLY, -ERR_PATH);
	expect("../sandbox-evil/f", O_RDONLY, -ERR_PATH);
	expect("../../../../../../etc/passwd", O_RDONLY, -ERR_PATH);
	expect("sub/../../secret", O_RDONLY, -ERR_PATH);
}
END_TEST

START_TEST(links)
{
	ck_assert_int_eq(symlink("../secret", "sandbox/out"), 0);
	ck_assert_int_eq(symlink("f", "sandbox/in"), 0);
	ck_assert_int_eq(symlink("sub", "sandbox/folder"), 0);
	ck_assert_int_eq(symlink("nowhere", "sandbox/dangling"), 0);
	ck_assert_int_eq(symlink("loop", "sandbox/loop"), 0);
	ck_assert_int_eq(symlink("/proc/self/root", "sandbox/magic"), 0);
	ck_assert_int_eq(symlink("/etc/passwd", "sandbox/absolute"), 0);
	for (int i = 0; i < 2; i++) {
		int flags = i == 0 ? O_RDONLY : O_WRONLY;

		expect("out", flags, -ERR_PATH);
		expect("in", flags, -ERR_PATH);
		expect("folder/f", flags, -ERR_PATH);
		expect("dangling", flags, -ERR_PATH);
		expect("loop", flags, -ERR_PATH);
		expect("magic/etc/passwd", flags, -ERR_PATH);
		expect("absolute", flags, -ERR_PATH);
	}
	expect("folder", O_RDONLY | O_DIRECTORY, -ERR_PATH);
	expect_regular("out", -ERR_PATH);
	expect_regular("in", -ERR_PATH);
	expect_regular("folder/f", -ERR_PATH);
	expect_regular("dangling", -ERR_PATH);
}
END_TEST

START_TEST(root_is_link)
{
	int fd;

	ck_assert_int_eq(symlink("sandbox", "link"), 0);
	ck_assert_int_ne(beneath_root("link", &fd), 0);
	ck_assert_int_ne(beneath_root("secret", &fd), 0);
	ck_assert_int_eq(beneath_root("none", &fd), -ERR_NOT_FOUND);
}
END_TEST

/* Check kills the test if any of these waits. */
START_TEST(not_regular)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_eq(mkfifo("sandbox/fifo", 0600), 0);
	strcpy(address.sun_path, "sandbox/socket");
	ck_assert_int_eq(
	    bind(s, (struct sockaddr *)&address, sizeof address), 0);
	expect_regular("fifo", -ERR_NOT_REGULAR);
	expect_regular("socket", -ERR_NOT_REGULAR);
	expect("fifo", O_WRONLY, -ERR_NOT_REGULAR);
	expect("socket", O_RDONLY, -ERR_NOT_REGULAR);
	close(s);
	if (host_make_device("sandbox/null"))
		expect_regular("null", -ERR_NOT_REGULAR);
	else
		fprintf(stderr, "cannot make a device: not tested\n");
}
END_TEST

/* A FIFO's writer waits until somebody opens the other end: nobody may. */
START_TEST(fifo_is_not_opened)
{
	int fd;

	ck_assert_int_eq(mkfifo("sandbox/fifo", 0600), 0);
	expect_regular("fifo", -ERR_NOT_REGULAR);
	fd = open("sandbox/fifo", O_WRONLY | O_NONBLOCK);
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(errno, ENXIO);
}
END_TEST

START_TEST(magic_files)
{
	int proc = open("/proc/self", O_RDONLY | O_DIRECTORY), fd;

	if (proc < 0)
		return;
	ck_assert_int_eq(
	    beneath_open(proc, "root/etc/passwd", O_RDONLY, &fd), -ERR_PATH);
	ck_assert_int_eq(beneath_open(proc, "fd/0", O_RDONLY, &fd), -ERR_PATH);
	ck_assert_int_eq(
	    beneath_walk(proc, "cwd/secret", O_RDONLY, &fd), -ERR_PATH);
	close(proc);
}
END_TEST

START_TEST(mounts)
{
	int fd;

	ck_assert_int_eq(mkdir("sandbox/mount", 0700), 0);
	ck_assert_int_eq(mkdir("sandbox/bind", 0700), 0);
	if (!host_private_mounts() ||
	    !host_mount_memory("sandbox/mount", "1m") ||
	    !host_mount_again("sandbox-evil", "sandbox/bind")) {
		fprintf(stderr, "cannot mount: mount points not tested\n");
		return;
	}
	close(root); /* it was opened outside of the private mounts */
	ck_assert_int_eq(beneath_root("sandbox", &root), 0);
	make_file("sandbox/mount/f", "other file system");
	expect("mount/f", O_RDONLY, -ERR_PATH);
	expect("mount", O_RDONLY | O_DIRECTORY, -ERR_PATH);
	expect_regular("mount/f", -ERR_PATH);
	/* the same file system again: only openat2 can see that */
	ck_assert_int_eq(
	    beneath_open(root, "bind/f", O_RDONLY, &fd), -ERR_PATH);
	expect_regular("bind/f", -ERR_PATH);
	host_unmount("sandbox/mount");
	host_unmount("sandbox/bind");
}
END_TEST

START_TEST(deep)
{
	char path[BENEATH_PATH_BYTES + 1];
	size_t n = 0;
	int at = dup(root);

	/* as deep as a path can say, made step by step */
	while (n + 2 < BENEATH_PATH_BYTES) {
		int next;

		ck_assert_int_eq(mkdirat(at, "d", 0700), 0);
		next = openat(at, "d", O_RDONLY | O_DIRECTORY);
		ck_assert_int_ge(next, 0);
		close(at);
		at = next;
		path[n++] = 'd';
		path[n++] = '/';
	}
	path[n] = '\0';
	ck_assert_int_eq(symlinkat("/etc/passwd", at, "f"), 0);
	close(at);
	path[n] = 'f';
	path[n + 1] = '\0';
	ck_assert_uint_eq(strlen(path), BENEATH_PATH_BYTES - 1);
	expect_regular(path, -ERR_PATH);
	expect(path, O_RDONLY, -ERR_PATH);
}
END_TEST

START_TEST(unreadable)
{
	bool was_root = geteuid() == 0;

	ck_assert_int_eq(chmod("sandbox/f", 0), 0);
	ck_assert_int_eq(chmod("sandbox/sub", 0), 0);
	ck_assert_int_eq(chmod("sandbox", 0755), 0);
	if (was_root)
		ck_assert_int_eq(seteuid(65534), 0);
	expect_regular("f", -ERR_REFUSED);
	expect_regular("sub/f", -ERR_REFUSED);
	if (was_root)
		ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(chmod("sandbox/sub", 0700), 0);
}
END_TEST

START_TEST(hard_link_shows)
{
	struct stat status;
	int fd;

	ck_assert_int_eq(link("secret", "sandbox/innocent"), 0);
	ck_assert_int_eq(beneath_regular(root, "innocent", &fd, &status), 0);
	ck_assert_uint_eq(status.st_nlink, 2);
	close(fd);
}
END_TEST

/* A kernel from before openat2. */
START_TEST(without_openat2)
{
	if (!host_without_openat2()) {
		fprintf(stderr, "cannot filter openat2: not tested\n");
		return;
	}
	ck_assert_int_eq(symlink("../secret", "sandbox/out"), 0);
	ck_assert_int_eq(symlink("../sandbox-evil", "sandbox/up"), 0);
	expect("f", O_RDONLY, 0);
	expect("sub/f", O_RDONLY, 0);
	expect("out", O_RDONLY, -ERR_PATH);
	expect("up/f", O_RDONLY, -ERR_PATH);
	expect("../secret", O_RDONLY, -ERR_PATH);
	expect_regular("sub/f", 0);
	expect_regular("out", -ERR_PATH);
}
END_TEST

/* One thread swaps until `stop`; the test opens. */
static atomic_bool stop;

static long
race_rounds(void)
{
	const char *text = getenv("TRIZONE_RACES");

	return text == NULL ? 20000 : strtol(text, NULL, 10);
}

/* At least `rounds`, and until the other thread has really been at work. */
static bool
race_goes_on(long i, long rounds, long opened, long refused)
{
	return i < rounds ||
	       ((opened == 0 || refused == 0) && i < 100 * rounds);
}

/* The name "x" is in turn a file, a link out, a FIFO, a link into a folder
 * beside the root. */
static void *
swap_names(void *unused)
{
	while (!stop) {
		make_file("spare", "inside");
		rename("spare", "sandbox/x");
		usleep(20); /* a file half of the time */
		if (symlink("../secret", "spare") == 0)
			rename("spare", "sandbox/x");
		if (mkfifo("spare", 0600) == 0)
			rename("spare", "sandbox/x");
		if (symlink("../sandbox-evil/f", "spare") == 0)
			rename("spare", "sandbox/x");
	}
	return unused;
}

/* The folder "d" is in turn a folder and a link to one outside. */
static void *
swap_folders(void *unused)
{
	while (!stop) {
		rename("sandbox/d", "real");
		rename("link", "sandbox/d");
		rename("sandbox/d", "link");
		rename("real", "sandbox/d");
		usleep(20); /* a folder half of the time */
	}
	return unused;
}

static void
check_inside(int fd)
{
	char text[16] = "";

	ck_assert_int_ge(read(fd, text, sizeof text - 1), 0);
	ck_assert_str_eq(text, "inside");
	close(fd);
}

START_TEST(race_names)
{
	long rounds = race_rounds(), opened = 0, refused = 0;
	pthread_t thread;
	struct stat status;
	int fd;

	make_file("sandbox/x", "inside");
	pthread_create(&thread, NULL, swap_names, NULL);
	for (long i = 0; race_goes_on(i, rounds, opened, refused); i++) {
		if (beneath_regular(root, "x", &fd, &status) != 0) {
			refused++;
			continue;
		}
		check_inside(fd);
		opened++;
	}
	stop = true;
	pthread_join(thread, NULL);
	ck_assert_int_gt(opened, 0);
	ck_assert_int_gt(refused, 0);
	fprintf(stderr, "names swapped: %ld opened, %ld refused, 0 outside\n",
	    opened, refused);
}
END_TEST

START_TEST(race_folders)
{
	long rounds = race_rounds(), opened = 0, refused = 0;
	pthread_t thread;
	int fd;

	ck_assert_int_eq(mkdir("sandbox/d", 0700), 0);
	make_file("sandbox/d/f", "inside");
	ck_assert_int_eq(symlink("../sandbox-evil", "link"), 0);
	pthread_create(&thread, NULL, swap_folders, NULL);
	for (long i = 0; race_goes_on(i, rounds, opened, refused); i++) {
		if (openers[i % 2](root, "d/f", O_RDONLY, &fd) != 0) {
			refused++;
			continue;
		}
		check_inside(fd);
		opened++;
	}
	stop = true;
	pthread_join(thread, NULL);
	ck_assert_int_gt(opened, 0);
	ck_assert_int_gt(refused, 0);
	fprintf(stderr, "folders swapped: %ld opened, %ld refused, 0 outside\n",
	    opened, refused);
}
END_TEST

static Suite *
beneath_suite(void)
{
	Suite *suite = suite_create("beneath");
	TCase *tc = tcase_create("beneath");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, check_paths);
	tcase_add_test(tc, check_lengths);
	tcase_add_test(tc, check_absolute);
	tcase_add_test(tc, ordinary);
	tcase_add_test(tc, upwards);
	tcase_add_test(tc, links);
	tcase_add_test(tc, root_is_link);
	tcase_add_test(tc, not_regular);
	tcase_add_test(tc, fifo_is_not_opened);
	tcase_add_test(tc, magic_files);
	tcase_add_test(tc, mounts);
	tcase_add_test(tc, deep);
	tcase_add_test(tc, unreadable);
	tcase_add_test(tc, hard_link_shows);
	tcase_add_test(tc, without_openat2);
	tcase_add_test(tc, race_names);
	tcase_add_test(tc, race_folders);
	suite_add_tcase(suite, tc);
	return suite;
}

int
main(void)
{
	SRunner *runner = srunner_create(beneath_suite());
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
