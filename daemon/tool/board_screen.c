/*
 * The terminal of the live board. It is the person's: whatever ends us, it is given back
 * as it was found, so every way out is caught: exit, the signals that ask for the end,
 * Ctrl-Z, and a crash.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "daemon/tool/board.h"

static const char enter_text[] = "\033[?1049h\033[?25l\033[H\033[2J";
static const char leave_text[] = "\033[?25h\033[?1049l";

static struct termios before;
static volatile sig_atomic_t is_entered, is_over, is_stale;

static void
say(const char *s, size_t n)
{
        while (n > 0) {
                ssize_t did = write(STDOUT_FILENO, s, n);

                if (did <= 0)
                        return;
                s += did;
                n -= (size_t)did;
        }
}

static void
keys_take(void)
{
        struct termios raw;

        if (tcgetattr(STDIN_FILENO, &before) == -1)
                return;
        raw = before;
        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        raw.c_cc[VMIN] = 0;
        raw.c_cc[VTIME] = 0;
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

/* Only calls that a signal handler may make. */
void
board_screen_leave(void)
{
        if (!is_entered)
                return;
        is_entered = 0;
        say(leave_text, sizeof leave_text - 1);
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

static void
on_end(int signal)
{
        (void)signal;
        is_over = 1;
}

static void
on_size(int signal)
{
        (void)signal;
        is_stale = 1;
}

static void
on_stop(int signal)
{
        bool was = is_entered;

        (void)signal;
        board_screen_leave();
        raise(SIGSTOP);
        if (was) { /* the shell has given us the terminal again */
                keys_take();
                say(enter_text, sizeof enter_text - 1);
                is_entered = 1;
        }
        is_stale = 1;
}

static void
on_crash(int signal)
{
        board_screen_leave();
        raise(signal); /* SA_RESETHAND: now it ends us as it would have */
}

static void
signals_catch(const int *list, size_t n, void (*handler)(int), int flags)
{
        struct sigaction sa = {.sa_handler = handler, .sa_flags = flags};

        sigemptyset(&sa.sa_mask);
        for (size_t i = 0; i < n; i++)
                sigaction(list[i], &sa, NULL);
}

void
board_screen_enter(void)
{
        static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
        static const int crashes[] = {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};

        keys_take();
        atexit(board_screen_leave);
        signals_catch(ends, 4, on_end, 0);
        signals_catch((const int[]){SIGWINCH}, 1, on_size, 0);
        signals_catch((const int[]){SIGTSTP}, 1, on_stop, 0);
        signals_catch(crashes, 5, on_crash, (int)SA_RESETHAND);
        is_entered = 1;
        say(enter_text, sizeof enter_text - 1);
}

bool
board_screen_is_over(void)
{
        return is_over;
}

bool
board_screen_is_stale(void)
{
        bool was = is_stale;

        is_stale = 0;
        return was;
}

/* Over the old one, each row cleared behind its end: nothing flickers. */
void
board_screen_draw(const struct buf *picture)
{
        struct buf b AUTO_BUF = BUF_INIT;
        const char *p = buf_str(picture);

        buf_adds(&b, "\033[H");
        while (*p != '\0') {
                size_t n = strcspn(p, "\n");

                buf_add(&b, p, n);
                buf_adds(&b, "\033[K");
                p += n + (p[n] == '\n');
                buf_adds(&b, *p != '\0' ? "\r\n" : "");
        }
        buf_adds(&b, "\033[J");
        say(b.data, b.len);
}
