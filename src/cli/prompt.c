// Asks the person at the terminal.
#include "cli/prompt.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

char *prompt_line(const char *question)
{
	char *line = NULL;
	size_t size = 0;
	if (isatty(STDIN_FILENO)) {
		fputs(question, stderr);
		fflush(stderr);
	}
	ssize_t length = getline(&line, &size, stdin);
	if (length < 0) {
		free(line);
		return NULL;
	}
	line[strcspn(line, "\r\n")] = '\0';
	return line;
}

char *prompt_secret(const char *question)
{
	struct termios before, quiet;
	bool terminal = tcgetattr(STDIN_FILENO, &before) == 0;
	if (terminal) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	char *line = prompt_line(question);
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', stderr);
	}
	return line;
}
