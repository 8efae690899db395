# Fuzzing of all that reads foreign bytes. `make fuzz-short` takes about a minute; `make fuzz FUZZ_SECONDS=7200` spends two hours on
# each harness, one after another at low priority. What is found interesting is kept in build-fuzz/found, crashes in build-fuzz.
FUZZ_SECONDS = 3600
HARNESSES = $(patsubst test/fuzz/fuzz_%.c,%,$(sort $(wildcard test/fuzz/fuzz_*.c)))

.PHONY: fuzz fuzz-short coverage
fuzz: build-fuzz/build.ninja
	ninja -C build-fuzz $(HARNESSES:%=test/fuzz/fuzz_%)
	cd build-fuzz && for harness in $(HARNESSES); do \
		echo "fuzzing $$harness for $(FUZZ_SECONDS) s"; \
		../test/fuzz/run test/fuzz/fuzz_$$harness ../test/fuzz/corpus/$$harness $(FUZZ_SECONDS) found/$$harness || exit 1; \
	done

fuzz-short:
	$(MAKE) fuzz FUZZ_SECONDS=10

# How much of the parsers the corpora reach, file by file; 90 % of the lines at least.
coverage: build-coverage/build.ninja
	ninja -C build-coverage $(HARNESSES:%=test/fuzz/replay_%)
	test/fuzz/coverage build-coverage

build-coverage/build.ninja:
	meson setup build-coverage -Db_coverage=true -Dbuildtype=debug

build-fuzz/build.ninja:
	CC=clang meson setup build-fuzz -Dfuzz=true -Db_lundef=false
