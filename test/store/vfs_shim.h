// A file system for SQLite that can fail, and lose power. It stands between SQLite and the real one (sqlite3_vfs_register):
// every write is passed on, and besides it is kept apart what would survive a power cut: what was synced, and any part of
// what was not.
#ifndef TEST_STORE_VFS_SHIM_H
#define TEST_STORE_VFS_SHIM_H

#include <stdbool.h>

enum vfs_fault { VFS_WORKS, VFS_WRITE_FAILS, VFS_DISK_FULL, VFS_SYNC_FAILS };

// Makes it the default for databases opened from now on. Once per process, before any.
void vfs_shim_install(void);
// From now on each write (sync) fails, until VFS_WORKS. `after` of them are let through first.
void vfs_shim_fault(enum vfs_fault fault, unsigned after);
// How often the fault struck since it was set.
unsigned vfs_shim_struck(void);

// Turns the keeping of images on; files opened from now on are watched from their (empty) beginning.
void vfs_shim_watch(bool on);
// Writes the database's and its log's survivors of a power cut at this moment to another path. Of the writes not yet synced
// a part arrives, as `seed` decides.
void vfs_shim_power_cut(const char *path, const char *copy, unsigned seed);

#endif
