/*
 * Linked into PyInstaller's bootloader of the one file, and run before its main().
 *
 * Room: the bootloader unpacks to the first folder in which it can make a folder, and fails with
 * words of the dynamic linker where that is mounted noexec, or halfway where it is too small. Here
 * the folders are looked at first.
 *
 * No orphan: its child, which is clusterf, is told by the kernel when the bootloader ends, of
 * SIGKILL for instance.
 *
 * One signal: the bootloader forwards what it gets. What a terminal sends (Ctrl-C) the child has
 * got already, and a second one would be an order to hurry.
 *
 * What is left in the environment for start.py: CLUSTERF_UNPACKER, the process that unpacks, and
 * CLUSTERF_TMPDIR_ORIG, the TMPDIR that was given where another one had to be taken.
 */

#define _GNU_SOURCE /* ST_NOEXEC */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define EX_UNAVAILABLE 69
#define MB (1000 * 1000)
#define FILES 1000 /* more than there are */
#define REASON 80

static const char *const VARIABLES[] = {"TMPDIR", "TEMP", "TMP"};
static const char *const FOLDERS[] = {"/tmp", "/var/tmp", "/dev/shm", "/run"};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What is unpacked is stored as it is, so the file itself is a bit larger than all of it. */
static unsigned long long needed(void)
{
    struct stat file;
    return stat("/proc/self/exe", &file) == 0 ? (unsigned long long) file.st_size : 0;
}

/* Whether programs can be unpacked to the folder and run there; if not, why. */
static int fits(const char *folder, unsigned long long bytes, char *reason)
{
    struct statvfs system;
    unsigned long long free_bytes;

    if (statvfs(folder, &system) != 0 || access(folder, W_OK | X_OK) != 0) {
        snprintf(reason, REASON, "%s", strerror(errno));
        return 0;
    }
    if (system.f_flag & ST_NOEXEC) {
        snprintf(reason, REASON, "mounted noexec");
        return 0;
    }
    free_bytes = (unsigned long long) (geteuid() == 0 ? system.f_bfree : system.f_bavail)
        * system.f_frsize;
    if (free_bytes < bytes) {
        snprintf(reason, REASON, "%llu MB free", free_bytes / MB);
        return 0;
    }
    if (system.f_files != 0 && system.f_favail < FILES) {
        snprintf(reason, REASON, "%llu inodes free", (unsigned long long) system.f_favail);
        return 0;
    }
    return 1;
}

static void take(const char *folder)
{
    const char *given = getenv("TMPDIR");

    if (given != NULL && strcmp(given, folder) == 0) {
        return;
    }
    setenv("CLUSTERF_TMPDIR_ORIG", given != NULL ? given : "", 1);
    setenv("TMPDIR", folder, 1);
}

static void choose_room(void)
{
    const char *folders[COUNT(VARIABLES) + COUNT(FOLDERS)];
    char reasons[COUNT(VARIABLES) + COUNT(FOLDERS)][REASON];
    unsigned long long bytes = needed();
    size_t tried = 0;
    size_t i;

    for (i = 0; i < COUNT(VARIABLES) + COUNT(FOLDERS); i++) {
        const char *folder = i < COUNT(VARIABLES) ? getenv(VARIABLES[i])
                                                  : FOLDERS[i - COUNT(VARIABLES)];
        if (folder == NULL || *folder == '\0') {
            continue;
        }
        if (fits(folder, bytes, reasons[tried])) {
            take(folder);
            return;
        }
        folders[tried++] = folder;
    }
    fprintf(stderr, "clusterf: no folder to unpack to has %llu MB and allows programs to run\n",
            bytes / MB + 1);
    for (i = 0; i < tried; i++) {
        fprintf(stderr, "  %s: %s\n", folders[i], reasons[i]);
    }
    fprintf(stderr, "(hint: set TMPDIR to such a folder, or use clusterf-folder, "
                    "which need not be unpacked)\n");
    _exit(EX_UNAVAILABLE);
}

static void (*forward)(int);

static void unless_from_terminal(int number, siginfo_t *information, void *context)
{
    (void) context;
    /* drivers/tty/n_tty.c signals the whole process group, in the kernel's name. */
    if (information->si_code != SI_KERNEL) {
        forward(number);
    }
}

/* The bootloader's calls of signal(2) come here (ld --wrap). */
void (*__real_signal(int number, void (*handler)(int)))(int);
void (*__wrap_signal(int number, void (*handler)(int)))(int);

void (*__wrap_signal(int number, void (*handler)(int)))(int)
{
    struct sigaction action = {.sa_sigaction = unless_from_terminal,
                               .sa_flags = SA_SIGINFO | SA_RESTART};

    if (handler == SIG_DFL || handler == SIG_IGN || (number != SIGINT && number != SIGQUIT)) {
        return __real_signal(number, handler);
    }
    forward = handler;
    return sigaction(number, &action, NULL) == 0 ? SIG_DFL : SIG_ERR;
}

__attribute__((constructor)) static void before_main(void)
{
    const char *unpacker = getenv("CLUSTERF_UNPACKER");
    char number[24];

    if (unpacker != NULL && getenv("_PYI_APPLICATION_HOME_DIR") != NULL) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != (pid_t) atol(unpacker)) {
            _exit(128 + SIGTERM); /* it ended before it could be told */
        }
        return;
    }
    choose_room();
    snprintf(number, sizeof number, "%ld", (long) getpid());
    setenv("CLUSTERF_UNPACKER", number, 1);
}
