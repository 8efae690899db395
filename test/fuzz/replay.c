// Runs a harness over the files of the folders (or the files) named on the command line: the corpus as a plain test, with any
// compiler. Each file's bytes lie in memory of exactly their size.
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

static unsigned files;

static bool run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat status;
	if (!file || fstat(fileno(file), &status) != 0) {
		perror(path);
		return false;
	}
	size_t size = (size_t)status.st_size;
	uint8_t *bytes = malloc(size > 0 ? size : 1);
	must(bytes && fread(bytes, 1, size, file) == size);
	fclose(file);
	LLVMFuzzerTestOneInput(bytes, size);
	free(bytes);
	files++;
	return true;
}

static bool run_folder(const char *path)
{
	DIR *folder = opendir(path);
	if (!folder)
		return run_file(path);
	bool fine = true;
	for (struct dirent *entry; (entry = readdir(folder));) {
		char inner[4096];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
		fine = run_file(inner) && fine;
	}
	closedir(folder);
	return fine;
}

int main(int count, char **arguments)
{
	bool fine = count > 1;
	for (int i = 1; i < count; i++)
		fine = run_folder(arguments[i]) && fine;
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	printf("%u files\n", files);
	return fine && files > 0 ? 0 : 1;
}
