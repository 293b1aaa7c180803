/* Gives libcamera's virtual camera what a camera of a Raspberry Pi has: controls that take effect two frames later,
 * automatic exposure and white balance that follow a changing light, a lens with autofocus, and a lock that one
 * process can hold. With $VIRTUAL_CAMERA_ISP; without it, the virtual camera has no controls at all. If that is "fixed",
 * the lens cannot be moved.
 *
 * - Lines of the control file: `blind`: autofocus fails; `jammed`: the lens stays where it is; `light N`: it is N times as bright, and
 *   does not change; `unplugged`: the camera is no longer there (without $VIRTUAL_CAMERA_ISP, too), until a process that
 *   begins after that finds it plugged in again; `mute`: frames say nothing of exposure and gain; `zero`: they say 0.
 * - What is asked for is appended to the file $VIRTUAL_CAMERA_ASKED: NAME VALUE, a line each.
 * - Whoever acquires the camera locks the file $VIRTUAL_CAMERA_LOCK, as libcamera does with media devices.
 */
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <dlfcn.h>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <string>
#include <time.h>
#include <utility>
#include <unistd.h>

#include <libcamera/camera.h>
#include <libcamera/control_ids.h>
#include <libcamera/property_ids.h>
#include <libcamera/request.h>
#include <libcamera/version.h>

using namespace libcamera;

/* Exposure and gain have modes of their own since libcamera 0.5, and AeState is no draft any more. */
#define HAS_MODES (LIBCAMERA_VERSION_MAJOR > 0 || LIBCAMERA_VERSION_MINOR >= 5)
#if HAS_MODES
namespace state = libcamera::controls;
#else
namespace state = libcamera::controls::draft;
#endif

extern "C" bool virtual_told(const char *word, double *number);
extern "C" void virtual_isp_frame(void *request, void *buffer);

namespace {

bool enabled() { return getenv("VIRTUAL_CAMERA_ISP") != nullptr; }

bool has_lens()
{
	const char *isp = getenv("VIRTUAL_CAMERA_ISP");
	return isp && std::string(isp) != "fixed";
}

bool configured = false;

void asked(const ControlList &list) {
	const char *path = getenv("VIRTUAL_CAMERA_ASKED");
	FILE *file = path && !list.empty() ? fopen(path, "ae") : nullptr;
	if (!file)
		return;
	for (const auto &[id, value] : list)
		fprintf(file, "%s %s\n", controls::controls.at(id)->name().c_str(), value.toString().c_str());
	fclose(file);
}

struct Isp {
	std::mutex mutex;
	/* Requests' controls on their way to the sensor. */
	std::deque<ControlList> pipe;
	unsigned frame = 0;
	bool autoExposure = true, autoGain = true, autoWhite = true;
	double exposure = 1000, gain = 1, red = 1, blue = 1, lens = 1;
	int mode = controls::AfModeManual, focus = controls::AfStateIdle, scan = 0;

	void apply(const ControlList &list)
	{
		if (auto v = list.get(controls::AeEnable))
			autoExposure = autoGain = *v;
#if HAS_MODES
		if (auto v = list.get(controls::ExposureTimeMode))
			autoExposure = *v == controls::ExposureTimeModeAuto;
		if (auto v = list.get(controls::AnalogueGainMode))
			autoGain = *v == controls::AnalogueGainModeAuto;
#endif
		if (auto v = list.get(controls::ExposureTime); v && !autoExposure)
			exposure = std::floor(*v / 30.0) * 30.0; /* whole rows */
		if (auto v = list.get(controls::AnalogueGain); v && !autoGain)
			gain = *v;
		if (auto v = list.get(controls::AwbEnable))
			autoWhite = *v;
		if (auto v = list.get(controls::ColourGains); v && !autoWhite)
			red = (*v)[0], blue = (*v)[1];
		if (auto v = list.get(controls::AfMode)) {
			if (*v == controls::AfModeContinuous && mode != *v)
				scan = 12;
			mode = *v;
			if (mode == controls::AfModeManual)
				focus = controls::AfStateIdle, scan = 0;
		}
		if (auto v = list.get(controls::AfTrigger); v && mode == controls::AfModeAuto && *v == controls::AfTriggerStart)
			scan = 12;
		if (auto v = list.get(controls::LensPosition); v && mode == controls::AfModeManual && !virtual_told("jammed", nullptr))
			lens = *v;
	}

	void step(ControlList &metadata)
	{
		frame++;
		/* The light changes, so that automatics never give the same twice. */
		double light;
		if (!virtual_told("light", &light))
			light = 1 + 0.5 * std::sin(frame / 40.0);
		double wanted = 8000 / light;
		bool searching = false;
		if (autoExposure) {
			searching = std::fabs(wanted - exposure) > 0.05 * wanted;
			exposure += (wanted - exposure) * 0.4;
		}
		if (autoGain)
			gain += (2 - gain) * 0.4;
		if (autoWhite)
			red += (1.9 - red) * 0.3, blue += (1.4 - blue) * 0.3;
		if (scan > 0) {
			focus = controls::AfStateScanning;
			lens = 12 - scan;
			if (--scan == 0) {
				bool blind = virtual_told("blind", nullptr);
				focus = blind ? controls::AfStateFailed : controls::AfStateFocused;
				lens = 4;
			}
		}
		if (!virtual_told("mute", nullptr)) {
			bool zero = virtual_told("zero", nullptr);
			metadata.set(controls::ExposureTime, zero ? 0 : static_cast<int32_t>(exposure));
			metadata.set(controls::AnalogueGain, zero ? 0.0f : static_cast<float>(gain));
		}
		metadata.set(controls::ColourGains, Span<const float, 2>({ static_cast<float>(red), static_cast<float>(blue) }));
		if (has_lens()) {
			metadata.set(controls::LensPosition, static_cast<float>(lens));
			metadata.set(controls::AfState, focus);
		}
		metadata.set(state::AeState, searching ? state::AeStateSearching : state::AeStateConverged);
	}
} isp;

} /* namespace */

static Camera *started;
static bool plugged_in_again;
__attribute__((constructor)) static void begin()
{
	plugged_in_again = virtual_told("unplugged", nullptr);
}

#if !HAS_MODES
/* Before 0.5, the virtual camera says nothing of a frame: what is in that memory is by chance. */
static void say_what_frame(const Request *request, FrameBuffer *buffer)
{
	static std::map<const Stream *, unsigned> frames;
	timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	auto &frame = const_cast<FrameMetadata &>(buffer->metadata());
	frame.status = FrameMetadata::FrameSuccess;
	frame.timestamp = now.tv_sec * 1000000000ull + now.tv_nsec;
	for (const auto &[stream, of_stream] : request->buffers())
		if (of_stream == buffer)
			frame.sequence = frames[stream]++;
}
#endif

extern "C" void virtual_isp_frame(void *r, void *b)
{
#if !HAS_MODES
	say_what_frame(static_cast<Request *>(r), static_cast<FrameBuffer *>(b));
#endif
	if (started && !plugged_in_again && virtual_told("unplugged", nullptr)) {
		/* As a pipeline handler does when the kernel removes a device. */
		auto disconnect = reinterpret_cast<void (*)(Camera *)>(dlsym(RTLD_NEXT, "_ZN9libcamera6Camera10disconnectEv"));
		disconnect(started);
		started = nullptr;
	}
	if (!enabled())
		return;
	auto *request = static_cast<Request *>(r);
	if (request->buffers().empty() || request->buffers().begin()->second != b)
		return;
	std::lock_guard lock(isp.mutex);
	asked(request->controls());
	isp.pipe.push_back(request->controls());
	if (isp.pipe.size() > 2) {
		isp.apply(isp.pipe.front());
		isp.pipe.pop_front();
	}
	isp.step(const_cast<ControlList &>(request->metadata()));
}

template<typename F> static F next(const char *name) { return reinterpret_cast<F>(dlsym(RTLD_NEXT, name)); }

const ControlInfoMap &Camera::controls() const
{
	static auto real = next<const ControlInfoMap &(*)(const Camera *)>("_ZNK9libcamera6Camera8controlsEv");
	if (!enabled())
		return real(this);
	static std::mutex mutex;
	static std::map<std::pair<const Camera *, bool>, ControlInfoMap> maps;
	std::lock_guard lock(mutex);
	auto found = maps.find({ this, configured });
	if (found == maps.end()) {
		ControlInfoMap::Map map;
		for (const auto &[id, info] : real(this))
			map.emplace(id, info);
		auto add = [&](const ControlId &id, ControlInfo info) { map[&id] = info; };
		namespace c = libcamera::controls;
		auto size = properties().get(properties::PixelArraySize).value_or(Size(640, 480));
		/* As of a Raspberry Pi, whose limits are known only once the mode of the sensor is. */
		add(c::ExposureTime, ControlInfo(configured ? 30 : 0, configured ? 10000000 : 66666));
		add(c::AnalogueGain, ControlInfo(1.0f, 16.0f));
		add(c::AeEnable, ControlInfo(false, true));
#if HAS_MODES
		add(c::ExposureTimeMode, ControlInfo(c::ExposureTimeModeValues));
		add(c::AnalogueGainMode, ControlInfo(c::AnalogueGainModeValues));
#endif
		add(c::AeMeteringMode, ControlInfo(c::AeMeteringModeValues));
		add(c::AwbEnable, ControlInfo(false, true));
		add(c::ColourGains, ControlInfo(0.0f, 32.0f));
		if (has_lens()) {
			add(c::AfMode, ControlInfo(c::AfModeValues));
			add(c::AfTrigger, ControlInfo(c::AfTriggerValues));
			add(c::AfMetering, ControlInfo(c::AfMeteringValues));
			add(c::AfWindows, ControlInfo(Rectangle(0, 0, 1, 1), Rectangle(0, 0, size.width, size.height)));
			add(c::LensPosition, ControlInfo(0.0f, 15.0f));
		}
		add(c::ScalerCrop, ControlInfo(Rectangle(0, 0, 64, 64), Rectangle(0, 0, size.width, size.height)));
		add(c::draft::NoiseReductionMode, ControlInfo(c::draft::NoiseReductionModeValues));
		found = maps.emplace(std::pair(this, configured), ControlInfoMap(std::move(map), c::controls)).first;
	}
	return found->second;
}

int Camera::configure(CameraConfiguration *config)
{
	static auto real = next<int (*)(Camera *, CameraConfiguration *)>("_ZN9libcamera6Camera9configureEPNS_19CameraConfigurationE");
	configured = true;
	return real(this, config);
}

int Camera::start(const ControlList *list)
{
	static auto real = next<int (*)(Camera *, const ControlList *)>("_ZN9libcamera6Camera5startEPKNS_11ControlListE");
	if (enabled() && list) {
		std::lock_guard lock(isp.mutex);
		asked(*list);
		isp.pipe.clear();
		isp.apply(*list);
	}
	started = this;
	return real(this, list);
}

static int lock_fd = -1;

extern "C" bool _ZN9libcamera15PipelineHandler7acquireEPNS_6CameraE(void *self, void *camera)
{
	static auto real = next<bool (*)(void *, void *)>("_ZN9libcamera15PipelineHandler7acquireEPNS_6CameraE");
	if (const char *path = getenv("VIRTUAL_CAMERA_LOCK")) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || lockf(fd, F_TLOCK, 0) != 0) {
			close(fd);
			return false;
		}
		lock_fd = fd;
	}
	return real(self, camera);
}

extern "C" void _ZN9libcamera15PipelineHandler7releaseEPNS_6CameraE(void *self, void *camera)
{
	static auto real = next<void (*)(void *, void *)>("_ZN9libcamera15PipelineHandler7releaseEPNS_6CameraE");
	real(self, camera);
	if (lock_fd >= 0)
		close(lock_fd);
	lock_fd = -1;
}
