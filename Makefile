# The commands of README.md. Each does its own set-up: on a fresh Debian 12 machine with Swift, `make demo` is enough.

SWIFT ?= swift
# What the library links to. Nothing else is needed to build, test or use it.
LIBRARIES := libturbojpeg0-dev libv4l-dev libssl-dev
# What films need as well: Docs/Media.md.
FULL_LIBRARIES := libavformat-dev libavcodec-dev libavutil-dev libswscale-dev
CONFIGURATION ?= release
LAST_PICTURE ?= $(CURDIR)/last-picture.jpg
SECONDS ?= 10

.PHONY: fuzz demo test full test-full bench interop docs man lint test-packages test-camera libraries clean

demo: libraries
	$(SWIFT) build -c release --product frame-demo
	"$$($(SWIFT) build -c release --show-bin-path)/frame-demo" --seconds $(SECONDS) --save-last "$(LAST_PICTURE)"

test: libraries
	$(SWIFT) test

# The programs with everything, in .build-full/release, beside those of the plain build.
full: LIBRARIES += $(FULL_LIBRARIES)
full: libraries
	FRAMESTREAMING_FULL=1 $(SWIFT) build -c $(CONFIGURATION) --scratch-path .build-full

# Their tests, and all others.
test-full: LIBRARIES += $(FULL_LIBRARIES) ffmpeg
test-full: libraries
	FRAMESTREAMING_FULL=1 $(SWIFT) test --scratch-path .build-full $(TESTS)

# Ratios against libturbojpeg, libjpeg as other camera programs use it, a plain C loop and the tutorial's loop, and streams over thin and
# long links beside other programs, in one run: Docs/Performance.md.
# BENCH=--quick and other options of Benchmarks/run.
bench: LIBRARIES += libjpeg62-turbo-dev
bench: libraries
	Benchmarks/run $(BENCH)

# The tutorial's programs in Python against ours (OpenCV from PyPI), and the PSNR of a natural clip.
interop: libraries
	.ci/interop

# The parsers of untrusted bytes, by mutated inputs: SECONDS each.
fuzz: SECONDS = 60
fuzz: libraries
	Tests/Fuzz/run $(SECONDS)

# Four streams through random faults, for SECONDS; the plot of their memory and age is soak.svg. Needs root, util-linux and iproute2.
soak: SECONDS = 1800
soak: libraries
	@.ci/install util-linux iproute2 python3
	$(SWIFT) build -c release --product frame-send
	$(SWIFT) build -c release --product frame-receive
	Tests/Chaos/soak --seconds $(SECONDS) --binaries "$$($(SWIFT) build -c release --show-bin-path)"

# Packages of users, each with a Package.swift of its own.
test-packages: libraries
	Tests/Packages/run

# The real V4L2 drivers in a virtual machine: root and apt are all it needs.
test-camera: libraries
	Tests/CameraVM/run-all

docs: libraries
	.ci/docs

# The programs' manual pages, and completions for bash, zsh and fish, in .build/manual. MANUAL=options of .ci/manual, or another folder.
man: libraries
	.ci/manual $(MANUAL)

lint:
	$(SWIFT) format lint --strict --recursive Sources Examples Tests Benchmarks Package.swift
	.ci/waits
	.ci/sizes

libraries:
	@.ci/install $(LIBRARIES)

clean:
	$(SWIFT) package clean
