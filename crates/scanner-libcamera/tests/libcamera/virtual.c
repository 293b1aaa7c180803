/* Lets libcamera's virtual camera run on a kernel without /dev/udmabuf, and fail on command. Preloaded.
 *
 * - open("/dev/udmabuf") gives a memfd, its ioctl the caller's own memfd: libcamera gets its memory for frames.
 * - $VIRTUAL_CAMERA_CONFIG stands in for the configuration file of the virtual camera.
 * - The file $VIRTUAL_CAMERA_CONTROL, read anew for every frame, says how it behaves, a line each:
 *     fps N      a frame every 1/N s
 *     stall      frames are swallowed: requests never complete, stop() returns
 *     wedge      the frame thread is blocked until the file changes, as by a driver that hangs: stop() blocks, too
 *     memory N   there are N MB for frames
 *   and more in virtual_isp.cpp.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <linux/udmabuf.h>
#include <linux/dma-buf.h>

#define YAML "/usr/share/libcamera/pipeline/virtual/virtual.yaml"
static int fake_fd = -1;
#define REAL(ret, name, ...) static ret (*real)(__VA_ARGS__); if (!real) real = dlsym(RTLD_NEXT, name)

static const char *map_path(const char *p) {
  const char *y = getenv("VIRTUAL_CAMERA_CONFIG");
  return (y && !strcmp(p, YAML)) ? y : p;
}
bool virtual_told(const char *word, double *number);
static int do_open(const char *name, const char *p, int fl, mode_t m) {
  int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, name);
  if (!strcmp(p, "/dev/udmabuf") && access("/dev/udmabuf", F_OK) != 0) {
    int fd = memfd_create("fake-udmabuf", MFD_CLOEXEC);
    fake_fd = fd;
    return fd;
  }
  return real(map_path(p), fl, m);
}
#define OPENF(n) int n(const char *p, int fl, ...) { mode_t m = 0; if (fl & (O_CREAT | O_TMPFILE)) { va_list a; va_start(a, fl); m = va_arg(a, mode_t); va_end(a); } return do_open(#n, p, fl, m); }
OPENF(open)
OPENF(open64)
int stat(const char *p, struct stat *s) { REAL(int, "stat", const char *, struct stat *); return real(map_path(p), s); }
int stat64(const char *p, struct stat64 *s) { REAL(int, "stat64", const char *, struct stat64 *); return real(map_path(p), s); }

// what was given out for frames; a descriptor that names another file by now was given back
static struct { int fd; ino_t inode; unsigned long long size; } given[64];
static unsigned given_count;
static bool room_for(unsigned long long size) {
  double mb;
  if (!virtual_told("memory", &mb)) return true;
  unsigned long long held = 0;
  for (unsigned i = 0; i < given_count && i < 64; i++) {
    struct stat s;
    if (!fstat(given[i].fd, &s) && s.st_ino == given[i].inode) held += given[i].size;
  }
  return held + size <= mb * 1e6;
}
static void remember(int fd, unsigned long long size) {
  struct stat s;
  if (fd < 0 || fstat(fd, &s)) return;
  unsigned i = given_count++ % 64;
  given[i].fd = fd; given[i].inode = s.st_ino; given[i].size = size;
}

int ioctl(int fd, unsigned long req, ...) {
  va_list a; va_start(a, req); void *arg = va_arg(a, void *); va_end(a);
  if (fake_fd >= 0 && req == UDMABUF_CREATE) {
    struct udmabuf_create *create = arg;
    if (!room_for(create->size)) { errno = ENOMEM; return -1; }
    int dup = fcntl(create->memfd, F_DUPFD_CLOEXEC, 3);
    remember(dup, create->size);
    return dup;
  }
  REAL(int, "ioctl", int, unsigned long, ...);
  int r = real(fd, req, arg);
  if (r < 0 && errno == ENOTTY && req == DMA_BUF_IOCTL_SYNC) return 0;
  return r;
}

void virtual_isp_frame(void *request, void *buffer);

static bool on_vcam_thread(void) {
  char n[17] = ""; prctl(PR_GET_NAME, n);
  return !strncmp(n, "VirtualCamera", 13);
}
// whether the control file has a line that begins with `word`, and its number
bool virtual_told(const char *word, double *number) {
  double ignored;
  if (!number) number = &ignored;
  *number = 0;
  const char *f = getenv("VIRTUAL_CAMERA_CONTROL"); if (!f) return false;
  FILE *fp = fopen(f, "re"); if (!fp) return false;
  char line[64], first[32]; bool found = false;
  while (!found && fgets(line, sizeof line, fp))
    found = sscanf(line, "%31s %lf", first, number) >= 1 && !strcmp(first, word);
  fclose(fp);
  return found;
}
static void nap(double s) { struct timespec t = { (time_t)s, (long)((s - (time_t)s) * 1e9) }; nanosleep(&t, 0); }

static void frame_hook(void);
// whether frames are made on a thread of their own, as since libcamera 0.5
static bool hooked = false;

// virtual calls completeBuffer() in the CameraManager thread for every finished frame
bool _ZN9libcamera15PipelineHandler14completeBufferEPNS_7RequestEPNS_11FrameBufferE(void *self, void *req, void *buf) {
  REAL(bool, "_ZN9libcamera15PipelineHandler14completeBufferEPNS_7RequestEPNS_11FrameBufferE", void *, void *, void *);
  if (!hooked) frame_hook();
  if (virtual_told("stall", 0)) return false;
  virtual_isp_frame(req, buf);
  return real(self, req, buf);
}
// Before libcamera 0.5, virtual completes each request, whatever came of its buffers, and takes none back when it is stopped.
static struct { void *handler, *request; } swallowed[64];
static unsigned swallowed_count;
void _ZN9libcamera15PipelineHandler15completeRequestEPNS_7RequestE(void *self, void *req) {
  REAL(void, "_ZN9libcamera15PipelineHandler15completeRequestEPNS_7RequestE", void *, void *);
  if (hooked || swallowed_count == 64 || !virtual_told("stall", 0)) { real(self, req); return; }
  swallowed[swallowed_count].handler = self;
  swallowed[swallowed_count++].request = req;
}
int _ZN9libcamera6Camera4stopEv(void *self) {
  REAL(int, "_ZN9libcamera6Camera4stopEv", void *);
  void (*cancel)(void *) = dlsym(RTLD_NEXT, "_ZN9libcamera7Request7Private6cancelEv");
  void (*complete)(void *, void *) = dlsym(RTLD_NEXT, "_ZN9libcamera15PipelineHandler15completeRequestEPNS_7RequestE");
  for (unsigned i = 0; i < swallowed_count; i++) {
    cancel(*(void **)swallowed[i].request);
    complete(swallowed[i].handler, swallowed[i].request);
  }
  swallowed_count = 0;
  return real(self);
}
// the frame generator maps the buffer on the VirtualCamera thread for every frame: our per-frame hook
static void frame_hook(void) {
  double v;
  if (virtual_told("fps", &v) && v > 0) {   // absolute pacing
    static struct timespec next; struct timespec now; clock_gettime(CLOCK_MONOTONIC, &now);
    double n = now.tv_sec + now.tv_nsec / 1e9, x = next.tv_sec + next.tv_nsec / 1e9 + 1.0 / v;
    if (x < n) x = n;
    next.tv_sec = (time_t)x; next.tv_nsec = (long)((x - (time_t)x) * 1e9);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, 0);
  }
  while (virtual_told("wedge", 0)) nap(0.02);
}
void *mmap(void *a, size_t l, int pr, int fl, int fd, off_t o) {
  REAL(void *, "mmap", void *, size_t, int, int, int, off_t);
  if (fd >= 0 && (pr & PROT_WRITE) && (fl & MAP_SHARED) && on_vcam_thread()) { hooked = true; frame_hook(); }
  return real(a, l, pr, fl, fd, o);
}
void *mmap64(void *a, size_t l, int pr, int fl, int fd, off64_t o) {
  REAL(void *, "mmap64", void *, size_t, int, int, int, off64_t);
  if (fd >= 0 && (pr & PROT_WRITE) && (fl & MAP_SHARED) && on_vcam_thread()) { hooked = true; frame_hook(); }
  return real(a, l, pr, fl, fd, o);
}
