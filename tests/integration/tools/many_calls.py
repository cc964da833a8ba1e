#!/usr/bin/env python3
"""Makes every system call that a file system may be asked for, on a mounted lunfs.

  many_calls.py DIR FILE

Prints one line a call: its name and what came of it (ok, or the errno's name). Judges nothing.
"""
import ctypes
import errno
import fcntl
import mmap
import os
import struct
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
KEEP_SIZE, PUNCH_HOLE, COLLAPSE, ZERO, INSERT, UNSHARE = 1, 2, 8, 16, 32, 64
RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT = 1, 2, 4
FS_IOC_GETFLAGS, FS_IOC_FIEMAP, FICLONE = 0x80086601, 0xC020660B, 0x40049409
AT_FDCWD = -100
AT_STATX_FORCE_SYNC = 0x2000


def call(name, function, *arguments):
    try:
        result = function(*arguments)
        print(f"{name}: ok")
        return result
    except OSError as failure:
        print(f"{name}: {errno.errorcode.get(failure.errno, failure.errno)}")
        return None


def libc(name, *arguments):
    result = getattr(LIBC, name)(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), name)
    return result


def off(value):
    return ctypes.c_longlong(value)


def on_handle(path):
    handle = os.open(path, os.O_RDWR)
    call("pread", os.pread, handle, 4096, 0)
    call("pwrite", os.pwrite, handle, bytes(4096), 0)
    for mode in (0, KEEP_SIZE, PUNCH_HOLE | KEEP_SIZE, ZERO, ZERO | KEEP_SIZE, COLLAPSE, INSERT, UNSHARE):
        call(f"fallocate {mode}", libc, "fallocate", handle, mode, off(0), off(65536))
    for name in ("SEEK_SET", "SEEK_END", "SEEK_DATA", "SEEK_HOLE"):
        call(f"lseek {name}", os.lseek, handle, 0, getattr(os, name))
    for name in ("fsync", "fdatasync", "fstat", "fstatvfs"):
        call(name, getattr(os, name), handle)
    call("sync_file_range", libc, "sync_file_range", handle, off(0), off(4096), 7)
    call("syncfs", libc, "syncfs", handle)
    call("fadvise", os.posix_fadvise, handle, 0, 0, os.POSIX_FADV_DONTNEED)
    call("readahead", libc, "readahead", handle, off(0), 65536)
    call("copy_file_range", os.copy_file_range, handle, handle, 4096, 0, 1 << 20)
    call("sendfile", os.sendfile, os.open("/dev/null", os.O_WRONLY), handle, 0, 4096)
    call("flock", fcntl.flock, handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    call("lockf", fcntl.lockf, handle, fcntl.LOCK_EX | fcntl.LOCK_NB, 100, 0)
    lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 200, 100, 0)
    call("F_OFD_SETLK", fcntl.fcntl, handle, 37, lock)
    call("F_OFD_GETLK", fcntl.fcntl, handle, 36, lock)
    call("F_SETLEASE", fcntl.fcntl, handle, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    call("F_SETFL O_DIRECT", fcntl.fcntl, handle, fcntl.F_SETFL, os.O_DIRECT)
    call("F_SETFL", fcntl.fcntl, handle, fcntl.F_SETFL, 0)
    call("ioctl GETFLAGS", fcntl.ioctl, handle, FS_IOC_GETFLAGS, bytes(8))
    call("ioctl FIEMAP", fcntl.ioctl, handle, FS_IOC_FIEMAP, struct.pack("QQIIII", 0, 1 << 20, 0, 0, 0, 0))
    call("ioctl FICLONE", fcntl.ioctl, handle, FICLONE, handle)
    for prot in ("MAP_SHARED", "MAP_PRIVATE"):
        mapped = call(f"mmap {prot}", mmap.mmap, handle, 4096, getattr(mmap, prot))
        if mapped:
            call("touch", mapped.__getitem__, 0)
            mapped.close()
    call("fchmod", os.fchmod, handle, 0o600)
    call("fchown", os.fchown, handle, -1, -1)
    call("futimens", os.utime, handle)
    call("ftruncate same", os.ftruncate, handle, os.fstat(handle).st_size)
    call("ftruncate 0", os.ftruncate, handle, 0)
    call("ftruncate larger", os.ftruncate, handle, os.fstat(handle).st_size + 4096)
    call("close", os.close, handle)


def on_names(folder, path):
    new = os.path.join(folder, "new")
    for name in ("stat", "lstat", "statvfs", "listxattr", "readlink"):
        call(name, getattr(os, name), path)
    for flags in (0, AT_STATX_FORCE_SYNC):
        call(f"statx {flags}", libc, "statx", AT_FDCWD, path.encode(), flags, 0xFFF,
             ctypes.create_string_buffer(512))
    call("access", os.access, path, os.R_OK)
    for name in ("user.lunfs.kind", "user.nothing", "security.capability", "system.posix_acl_access",
                 "trusted.x"):
        call(f"getxattr {name}", os.getxattr, path, name)
        call(f"setxattr {name}", os.setxattr, path, name, b"x")
        call(f"removexattr {name}", os.removexattr, path, name)
    call("open O_TRUNC", os.open, path, os.O_WRONLY | os.O_TRUNC)
    call("open O_APPEND", os.open, path, os.O_WRONLY | os.O_APPEND)
    call("open O_EXCL", os.open, path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    call("open O_SYNC", os.open, path, os.O_RDWR | os.O_SYNC)
    call("create", os.open, new, os.O_RDWR | os.O_CREAT, 0o600)
    call("tmpfile", os.open, folder, os.O_RDWR | os.O_TMPFILE, 0o600)
    call("mknod file", os.mknod, new)
    call("mknod fifo", os.mkfifo, new)
    call("mkdir", os.mkdir, new)
    call("symlink", os.symlink, "x", new)
    call("link", os.link, path, new)
    call("rename", os.rename, path, new)
    for flag in (RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT):
        call(f"renameat2 {flag}", libc, "renameat2", AT_FDCWD, path.encode(), AT_FDCWD, new.encode(), flag)
    call("unlink", os.unlink, path)
    call("rmdir", os.rmdir, os.path.join(folder, ".lunfs"))
    call("truncate", os.truncate, path, 4096)
    call("chmod", os.chmod, path, 0o600)
    call("chown", os.chown, path, -1, -1)
    call("utime", os.utime, path)
    call("open missing", os.open, os.path.join(folder, "missing"), os.O_RDONLY)


def on_folder(folder):
    call("readdir", os.listdir, folder)
    call("readdir .lunfs", os.listdir, os.path.join(folder, ".lunfs"))
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    call("fsync folder", os.fsync, handle)
    call("flock folder", fcntl.flock, handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    call("ioctl folder", fcntl.ioctl, handle, FS_IOC_GETFLAGS, bytes(8))
    call("lseek folder", os.lseek, handle, 0, os.SEEK_SET)
    call("setxattr folder", os.setxattr, folder, "user.x", b"x")
    call("getxattr folder", os.getxattr, folder, "user.x")
    call("listxattr folder", os.listxattr, folder)


def main(folder, path):
    on_handle(path)
    on_names(folder, path)
    on_folder(folder)


main(*sys.argv[1:])
