// The failing file system: wraps every method of the real one's files.
#include "store/vfs_shim.h"

#include "lib/cmocka.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512, IMAGES_MAX = 64 };

struct pending_write { // truncate: size < 0, offset is the new length
	struct pending_write *next;
	sqlite3_int64 offset;
	int size;
	char bytes[];
};

// What is on the platter, and what is still in the cache.
struct image {
	char path[256];
	char *bytes;
	size_t length, room;
	struct pending_write *pending, **pending_end;
};

struct shim_file {
	sqlite3_file base;
	struct image *image; // NULL: not watched
	sqlite3_file real;   // last: the real one's structure goes on behind it
};

static sqlite3_vfs *real_vfs;
static sqlite3_vfs shim_vfs;
static atomic_int fault;
static atomic_uint let_through, struck;
static atomic_bool watching;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; // of the images
static struct image *images[IMAGES_MAX];
static size_t image_count;

void vfs_shim_fault(enum vfs_fault what, unsigned after)
{
	atomic_store(&let_through, after);
	atomic_store(&struck, 0);
	atomic_store(&fault, what);
}

unsigned vfs_shim_struck(void)
{
	return atomic_load(&struck);
}

static bool strikes(void)
{
	unsigned left = atomic_load(&let_through);

	while (left > 0)
		if (atomic_compare_exchange_weak(&let_through, &left, left - 1))
			return false;
	atomic_fetch_add(&struck, 1);
	return true;
}

// ---- images

static void *grown(void *memory, size_t size)
{
	void *result = realloc(memory, size);

	assert_non_null(result);
	return result;
}

static void image_set_length(struct image *image, size_t length)
{
	if (length > image->room) {
		image->room = 2 * length;
		image->bytes = grown(image->bytes, image->room);
	}
	if (length > image->length)
		memset(image->bytes + image->length, 0, length - image->length);
	image->length = length;
}

static void image_apply(struct image *image, const struct pending_write *write, size_t from, size_t to)
{
	size_t offset = (size_t)write->offset;

	if (write->size < 0) {
		image_set_length(image, offset);
		return;
	}
	if (offset + to > image->length)
		image_set_length(image, offset + to);
	memcpy(image->bytes + offset + from, write->bytes + from, to - from);
}

static void image_note(struct image *image, sqlite3_int64 offset, const void *bytes, int size)
{
	struct pending_write *write = grown(NULL, sizeof *write + (size_t)(size > 0 ? size : 0));

	*write = (struct pending_write){.offset = offset, .size = size};
	if (size > 0)
		memcpy(write->bytes, bytes, (size_t)size);
	pthread_mutex_lock(&mutex);
	*image->pending_end = write;
	image->pending_end = &write->next;
	pthread_mutex_unlock(&mutex);
}

static void image_sync(struct image *image)
{
	pthread_mutex_lock(&mutex);
	while (image->pending) {
		struct pending_write *write = image->pending;
		image->pending = write->next;
		image_apply(image, write, 0, write->size > 0 ? (size_t)write->size : 0);
		free(write);
	}
	image->pending_end = &image->pending;
	pthread_mutex_unlock(&mutex);
}

static struct image *image_of(const char *path)
{
	for (size_t i = 0; i < image_count; i++)
		if (strcmp(images[i]->path, path) == 0)
			return images[i];
	return NULL;
}

static struct image *image_take(const char *path)
{
	struct image *image;

	pthread_mutex_lock(&mutex);
	image = image_of(path);
	if (!image) {
		assert_true(image_count < IMAGES_MAX);
		image = calloc(1, sizeof *image);
		assert_non_null(image);
		snprintf(image->path, sizeof image->path, "%s", path);
		image->pending_end = &image->pending;
		images[image_count++] = image;
	}
	pthread_mutex_unlock(&mutex);
	return image;
}

static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1664525U + 1013904223U;
	return *seed >> 16;
}

// Each sector of an unsynced write arrives or does not.
static void image_copy(const struct image *image, const char *path, unsigned *seed)
{
	struct image copy = {.length = 0};
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	image_set_length(&copy, image->length);
	if (image->length)
		memcpy(copy.bytes, image->bytes, image->length);
	for (const struct pending_write *write = image->pending; write; write = write->next) {
		if (write->size < 0 && next_random(seed) % 2)
			image_apply(&copy, write, 0, 0);
		for (int at = 0; at < write->size; at += SECTOR)
			if (next_random(seed) % 2)
				image_apply(&copy, write, (size_t)at,
					    (size_t)(at + SECTOR < write->size ? at + SECTOR : write->size));
	}
	assert_int_equal(fwrite(copy.bytes, 1, copy.length, file), copy.length);
	fclose(file);
	free(copy.bytes);
}

void vfs_shim_power_cut(const char *path, const char *copy, unsigned seed)
{
	char from[300], to[300];

	pthread_mutex_lock(&mutex); // both files at the same moment
	for (int log = 0; log < 2; log++) {
		snprintf(from, sizeof from, "%s%s", path, log ? "-wal" : "");
		snprintf(to, sizeof to, "%s%s", copy, log ? "-wal" : "");
		if (image_of(from))
			image_copy(image_of(from), to, &seed);
	}
	pthread_mutex_unlock(&mutex);
}

void vfs_shim_watch(bool on)
{
	atomic_store(&watching, on);
}

// ---- a file's methods

static struct shim_file *shim_of(sqlite3_file *file)
{
	return (struct shim_file *)file;
}

static sqlite3_file *real_of(sqlite3_file *file)
{
	return &shim_of(file)->real;
}

static int file_close(sqlite3_file *file)
{
	return real_of(file)->pMethods->xClose(real_of(file));
}

static int file_read(sqlite3_file *file, void *bytes, int size, sqlite3_int64 offset)
{
	return real_of(file)->pMethods->xRead(real_of(file), bytes, size, offset);
}

static int file_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
	int what = atomic_load(&fault), code;

	if ((what == VFS_WRITE_FAILS || what == VFS_DISK_FULL) && strikes())
		return what == VFS_DISK_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
	code = real_of(file)->pMethods->xWrite(real_of(file), bytes, size, offset);
	if (code == SQLITE_OK && shim_of(file)->image)
		image_note(shim_of(file)->image, offset, bytes, size);
	return code;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int code = real_of(file)->pMethods->xTruncate(real_of(file), size);

	if (code == SQLITE_OK && shim_of(file)->image)
		image_note(shim_of(file)->image, size, NULL, -1);
	return code;
}

static int file_sync(sqlite3_file *file, int flags)
{
	int code;

	if (atomic_load(&fault) == VFS_SYNC_FAILS && strikes())
		return SQLITE_IOERR_FSYNC;
	code = real_of(file)->pMethods->xSync(real_of(file), flags);
	if (code == SQLITE_OK && shim_of(file)->image)
		image_sync(shim_of(file)->image);
	return code;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int file_lock(sqlite3_file *file, int lock)
{
	return real_of(file)->pMethods->xLock(real_of(file), lock);
}

static int file_unlock(sqlite3_file *file, int lock)
{
	return real_of(file)->pMethods->xUnlock(real_of(file), lock);
}

static int file_check_reserved_lock(sqlite3_file *file, int *result)
{
	return real_of(file)->pMethods->xCheckReservedLock(real_of(file), result);
}

static int file_control(sqlite3_file *file, int operation, void *argument)
{
	return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}

static int file_sector_size(sqlite3_file *file)
{
	return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int file_characteristics(sqlite3_file *file)
{
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int file_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **memory)
{
	return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, memory);
}

static int file_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
	return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void file_shm_barrier(sqlite3_file *file)
{
	real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int file_shm_unmap(sqlite3_file *file, int deleting)
{
	return real_of(file)->pMethods->xShmUnmap(real_of(file), deleting);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_reserved_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
	struct shim_file *shim = shim_of(file);
	int code;

	(void)vfs;
	shim->base.pMethods = NULL;
	shim->image = NULL;
	code = real_vfs->xOpen(real_vfs, name, &shim->real, flags, out_flags);
	if (code != SQLITE_OK)
		return code;
	shim->base.pMethods = &methods;
	if (name && atomic_load(&watching) && (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)))
		shim->image = image_take(name);
	return SQLITE_OK;
}

void vfs_shim_install(void)
{
	real_vfs = sqlite3_vfs_find(NULL);
	assert_non_null(real_vfs);
	shim_vfs = *real_vfs;
	shim_vfs.zName = "shim";
	shim_vfs.szOsFile = (int)sizeof(struct shim_file) + real_vfs->szOsFile;
	shim_vfs.xOpen = shim_open;
	assert_int_equal(sqlite3_vfs_register(&shim_vfs, 1), SQLITE_OK);
}
