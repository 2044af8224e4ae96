/*
 * A program as thousands are: threads that do a little four times a second, and wait in between until a time of day.
 * It is harmless while waits until a time of day work, and takes whole CPUs when they return too early, as MySQL, Java
 * and Firefox did on 30 June 2012: a database or a Java server has a hundred such threads. A process that shares a CPU
 * with them waits for its turn behind each of them. Usage: wall-clock-waiter [threads, 1 to 256 [process group to join]]
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define WAIT_NS 250000000
#define THREADS_MAX 256
#define STACK_BYTES (64 * 1024)

static void *work(void *none)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t never = PTHREAD_COND_INITIALIZER;
    pthread_mutex_lock(&lock);
    for (;;) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += WAIT_NS;
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec += 1;
        }
        pthread_cond_timedwait(&never, &lock, &until);
    }
    return none;
}

int main(int count, char **values)
{
    int threads = count > 1 ? atoi(values[1]) : 2;
    if (threads < 1 || threads > THREADS_MAX) {
        fprintf(stderr, "wall-clock-waiter: expected 1 to %d threads\n", THREADS_MAX);
        return 2;
    }
    /* It ends with the drill, also when the drill is killed. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == 1) return 1;
    if (count > 2 && setpgid(0, atoi(values[2])) != 0) {
        perror("wall-clock-waiter: setpgid");
        return 1;
    }
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK_BYTES);
    for (int each = 1; each < threads; each += 1) {
        pthread_t thread;
        if (pthread_create(&thread, &small, work, NULL) != 0) return 1;
    }
    work(NULL);
}
