// What the kernel alone takes: a process that receives datagrams of SIP's size one by one and sends each back, and another that sends
// them at a pace, or as fast as they come back. Prints the first one's CPU per datagram received and sent, as JSON.
//   floor RATE SECONDS     RATE 0: saturated
#include <arpa/inet.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 700, WINDOW = 64 };

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void pin(int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	sched_setaffinity(0, sizeof set, &set);
}

static int bound(struct sockaddr_in *address)
{
	socklen_t size = sizeof *address;
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (s < 0 || bind(s, (struct sockaddr *)address, sizeof *address) != 0 ||
	    getsockname(s, (struct sockaddr *)address, &size) != 0) {
		perror("socket");
		exit(1);
	}
	return s;
}

// Ends with an empty datagram.
static void reflect(int s)
{
	char text[2048];
	struct sockaddr_in from;

	for (;;) {
		socklen_t size = sizeof from;
		ssize_t n = recvfrom(s, text, sizeof text, 0, (struct sockaddr *)&from, &size);
		if (n <= 0)
			return;
		sendto(s, text, (size_t)n, 0, (struct sockaddr *)&from, size);
	}
}

int main(int argc, char **argv)
{
	unsigned rate = argc > 1 ? (unsigned)atoi(argv[1]) : 1000, seconds = argc > 2 ? (unsigned)atoi(argv[2]) : 2;
	struct sockaddr_in server, client;
	int there = bound(&server), here = bound(&client);
	char text[SIZE] = "x", back[2048];
	unsigned long sent = 0, received = 0;
	struct rusage usage;
	pid_t child = fork();

	if (child == 0) {
		pin(0);
		reflect(there);
		_exit(0);
	}
	pin((int)sysconf(_SC_NPROCESSORS_ONLN) - 1);
	for (double began = now_s(), t = began; t < began + seconds; t = now_s()) {
		unsigned long due = rate ? (unsigned long)((t - began) * rate) : received + WINDOW;
		for (; sent < due; sent++)
			sendto(here, text, SIZE, 0, (struct sockaddr *)&server, sizeof server);
		while (recv(here, back, sizeof back, MSG_DONTWAIT) > 0)
			received++;
		if (rate)
			usleep(100);
	}
	sendto(here, text, 0, 0, (struct sockaddr *)&server, sizeof server);
	if (wait4(child, NULL, 0, &usage) != child)
		return 1;
	double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
		     (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	printf("{\"cpu_us\": %.3f, \"per_s\": %.0f, \"bytes\": %d}\n", cpu / (double)(sent ? sent : 1),
	       (double)sent / seconds, SIZE);
	return 0;
}
