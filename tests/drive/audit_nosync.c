/*
 * The control of the power cuts: put in the place of sync_data and sync_folder
 * (by the linker, in this test program alone), it says that all is well and
 * does nothing.
 */
int __wrap_sync_data(int fd);
int __wrap_sync_folder(int fd);

int
__wrap_sync_data(int fd)
{
	(void)fd;
	return 0;
}

int
__wrap_sync_folder(int fd)
{
	(void)fd;
	return 0;
}
