/* Lets libcamera's virtual camera run on a kernel without /dev/udmabuf, and fail on command. Preloaded.
 *
 * - open("/dev/udmabuf") gives a memfd, its ioctl the caller's own memfd: libcamera gets its memory for frames.
 * - $VIRTUAL_CAMERA_CONFIG stands in for the configuration file of the virtual camera.
 * - The file $VIRTUAL_CAMERA_CONTROL, read anew for every frame, says how it behaves:
 *     fps N   a frame every 1/N s
 *     stall   frames are swallowed: requests never complete, stop() returns
 *     wedge   the frame thread is blocked until the file changes, as by a driver that hangs: stop() blocks, too
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

int ioctl(int fd, unsigned long req, ...) {
  va_list a; va_start(a, req); void *arg = va_arg(a, void *); va_end(a);
  if (fake_fd >= 0 && req == UDMABUF_CREATE)
    return fcntl(((struct udmabuf_create *)arg)->memfd, F_DUPFD_CLOEXEC, 3);
  REAL(int, "ioctl", int, unsigned long, ...);
  int r = real(fd, req, arg);
  if (r < 0 && errno == ENOTTY && req == DMA_BUF_IOCTL_SYNC) return 0;
  return r;
}

static bool on_vcam_thread(void) {
  char n[17] = ""; prctl(PR_GET_NAME, n);
  return !strncmp(n, "VirtualCamera", 13);
}
static void ctl(char cmd[16], double *v) {
  cmd[0] = 0; *v = 0;
  const char *f = getenv("VIRTUAL_CAMERA_CONTROL"); if (!f) return;
  FILE *fp = fopen(f, "re"); if (!fp) return;
  if (fscanf(fp, "%15s %lf", cmd, v) < 1) cmd[0] = 0;
  fclose(fp);
}
static void nap(double s) { struct timespec t = { (time_t)s, (long)((s - (time_t)s) * 1e9) }; nanosleep(&t, 0); }

// virtual calls completeBuffer() in the CameraManager thread for every finished frame
bool _ZN9libcamera15PipelineHandler14completeBufferEPNS_7RequestEPNS_11FrameBufferE(void *self, void *req, void *buf) {
  REAL(bool, "_ZN9libcamera15PipelineHandler14completeBufferEPNS_7RequestEPNS_11FrameBufferE", void *, void *, void *);
  char c[16]; double v; ctl(c, &v);
  if (!strcmp(c, "stall")) return false;
  return real(self, req, buf);
}
// the frame generator maps the buffer on the VirtualCamera thread for every frame: our per-frame hook
static void frame_hook(void) {
  char c[16]; double v; ctl(c, &v);
  if (!strcmp(c, "fps") && v > 0) {   // absolute pacing
    static struct timespec next; struct timespec now; clock_gettime(CLOCK_MONOTONIC, &now);
    double n = now.tv_sec + now.tv_nsec / 1e9, x = next.tv_sec + next.tv_nsec / 1e9 + 1.0 / v;
    if (x < n) x = n;
    next.tv_sec = (time_t)x; next.tv_nsec = (long)((x - (time_t)x) * 1e9);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, 0);
  }
  while (!strcmp(c, "wedge")) { nap(0.02); ctl(c, &v); }
}
void *mmap(void *a, size_t l, int pr, int fl, int fd, off_t o) {
  REAL(void *, "mmap", void *, size_t, int, int, int, off_t);
  if (fd >= 0 && (pr & PROT_WRITE) && (fl & MAP_SHARED) && on_vcam_thread()) frame_hook();
  return real(a, l, pr, fl, fd, o);
}
void *mmap64(void *a, size_t l, int pr, int fl, int fd, off64_t o) {
  REAL(void *, "mmap64", void *, size_t, int, int, int, off64_t);
  if (fd >= 0 && (pr & PROT_WRITE) && (fl & MAP_SHARED) && on_vcam_thread()) frame_hook();
  return real(a, l, pr, fl, fd, o);
}
