// Asking the person at the terminal.
#ifndef CLI_PROMPT_H
#define CLI_PROMPT_H

// One line from standard input, owned by the caller; NULL at its end. A secret is not shown while it is typed.
char *prompt_line(const char *question);
char *prompt_secret(const char *question);

#endif
