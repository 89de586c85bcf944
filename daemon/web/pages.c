/*
 * Pages; see pages.h. Written by small functions that escape by themselves; what is
 * not text of ours goes through html() only.
 *
 * A fault stands beside its field and is named by the field (aria-describedby); the
 * first faulty field has the focus; a list above names all of them. Browsers never give
 * back chosen files: the page says that they must be chosen again.
 */
#include "daemon/web/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/clock.h"
#include "daemon/base/utf8.h"

/* ---- the writer ---- */

/* Text, for between tags and inside "quoted" attributes. */
static void
html(struct buf *b, const char *s)
{
        for (; *s != '\0'; s++) {
                size_t n = strcspn(s, "<>&\"'");

                buf_add(b, s, n);
                s += n;
                if (*s == '\0')
                        return;
                buf_adds(b, *s == '<'   ? "&lt;"
                            : *s == '>' ? "&gt;"
                            : *s == '&' ? "&amp;"
                            : *s == '"' ? "&quot;"
                                        : "&#39;");
        }
}

static void
attribute(struct buf *b, const char *name, const char *value)
{
        buf_addf(b, " %s=\"", name);
        html(b, value);
        buf_addc(b, '"');
}

static void
element(struct buf *b, const char *tag, const char *text)
{
        buf_addf(b, "<%s>", tag);
        html(b, text);
        buf_addf(b, "</%.*s>\n", (int)strcspn(tag, " "), tag);
}

/* For a href: a path of our own. */
static void
link_to(struct buf *b, const char *href, const char *text)
{
        buf_adds(b, "<a");
        attribute(b, "href", href);
        buf_adds(b, ">");
        html(b, text);
        buf_adds(b, "</a>");
}

static bool
is_ru(const struct page *p)
{
        return strcmp(p->language, "ru") == 0;
}

#define SAY(p, ru, en) (is_ru(p) ? (ru) : (en))

static void
page_begin(struct buf *b, const struct page *p, const char *title)
{
        const char *other = SAY(p, "en", "ru");

        buf_addf(b,
            "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n",
            p->language);
        buf_adds(b, "<meta name=\"viewport\" content=\"width=device-width, "
                    "initial-scale=1\">\n<meta name=\"robots\" content=\"noindex\">\n"
                    "<title>");
        html(b, title);
        buf_adds(b, " \xe2\x80\x93 ");
        html(b, p->desk);
        buf_adds(b, "</title>\n<link rel=\"stylesheet\" href=\"/style.css\">\n</head>\n"
                    "<body>\n<header><p class=\"desk\">");
        html(b, p->desk);
        buf_adds(b, "</p>");
        if (p->other_language) {
                buf_adds(b, "<p class=\"language\"><a");
                attribute(b, "href", p->path);
                b->len--; /* inside the quotes */
                buf_addf(b, "?lang=%s\" lang=\"%s\" hreflang=\"%s\">%s</a></p>", other,
                    other, other, SAY(p, "English", "Русский"));
        }
        buf_adds(b, "</header>\n<main>\n");
        element(b, "h1", title);
}

static void
page_end(struct buf *b)
{
        buf_adds(b, "</main>\n</body>\n</html>\n");
}

/* ---- language ---- */

static bool
desk_speaks(const struct config *c, const char *language)
{
        for (size_t i = 0; i < c->n_languages; i++)
                if (strcmp(c->languages[i], language) == 0)
                        return true;
        return false;
}

static const char *
language_known(const struct config *c, const char *s, size_t n)
{
        if (n < 2 || (n > 2 && s[2] != '-'))
                return NULL;
        if (strncasecmp(s, "ru", 2) == 0 && desk_speaks(c, "ru"))
                return "ru";
        return strncasecmp(s, "en", 2) == 0 && desk_speaks(c, "en") ? "en" : NULL;
}

static const char *
language_default(const struct config *c)
{
        for (size_t i = 0; i < c->n_languages; i++)
                if (strcmp(c->languages[i], "ru") == 0 ||
                    strcmp(c->languages[i], "en") == 0)
                        return strcmp(c->languages[i], "ru") == 0 ? "ru" : "en";
        return "en";
}

const char *
page_language(const struct config *c, const char *query, const char *accept)
{
        const char *best = NULL;
        double best_q = 0;

        if (strncmp(query, "lang=", 5) == 0 || strstr(query, "&lang=") != NULL) {
                const char *v = strncmp(query, "lang=", 5) == 0
                                    ? query + 5
                                    : strstr(query, "&lang=") + 6;
                const char *l = language_known(c, v, strcspn(v, "&"));

                if (l != NULL)
                        return l;
        }
        while (*accept != '\0') {
                size_t n = strcspn(accept, ","), blank = strspn(accept, " \t");
                size_t n_name = strcspn(accept + blank, ",; \t");
                const char *l = language_known(c, accept + blank, n_name);
                const char *q = memmem(accept, n, "q=", 2);
                double weight = q == NULL ? 1 : strtod(q + 2, NULL);

                if (l != NULL && weight > best_q) {
                        best = l;
                        best_q = weight;
                }
                accept += n + (accept[n] == ',');
        }
        return best != NULL ? best : language_default(c);
}

/* ---- the form ---- */

static const char *
notice_text(const struct page *p, enum page_notice n)
{
        switch (n) {
        case NOTICE_NONE:
                return "";
        case NOTICE_FAULTS:
                return SAY(p, "Пожалуйста, исправьте:", "Please correct this:");
        case NOTICE_AGAIN:
                return SAY(p,
                    "Эта страница была открыта слишком долго. Всё, что вы написали, на "
                    "месте: нажмите «Отправить» ещё раз.",
                    "This page was open for too long. All you wrote is still here: press "
                    "Send once more.");
        case NOTICE_BUSY:
                return SAY(p,
                    "Сейчас мы не можем принять обращение. Оно не потеряно: всё, что вы "
                    "написали, на месте. Нажмите «Отправить» ещё раз через минуту.",
                    "We cannot take your request right now. Nothing is lost: all you "
                    "wrote "
                    "is still here. Press Send again in a minute.");
        case NOTICE_FULL:
                return SAY(p,
                    "У нас закончилось место. Всё, что вы написали, на месте: попробуйте "
                    "позже или без файлов.",
                    "We have run out of room. All you wrote is still here: try later, or "
                    "without files.");
        case NOTICE_RATE:
                return SAY(p,
                    "С вашего адреса пришло слишком много обращений. Всё, что вы "
                    "написали, "
                    "на месте: отправьте его позже.",
                    "Too many requests have come from your address. All you wrote is "
                    "still "
                    "here: send it later.");
        }
        return "";
}

static const char *
fault_of(const struct page_form *p, const char *field)
{
        for (size_t i = 0; i < p->n_faults; i++)
                if (strcmp(p->faults[i].field, field) == 0)
                        return p->faults[i].text;
        return NULL;
}

static size_t
index_of(const struct form_options *f, const char *field)
{
        for (size_t i = 0; i < f->n_fields; i++)
                if (strcmp(f->fields[i].name, field) == 0)
                        return i + 1;
        return 0;
}

static void
write_notice(struct buf *b, const struct page_form *p)
{
        if (p->notice == NOTICE_NONE)
                return;
        buf_adds(b, "<div class=\"notice\" role=\"alert\">\n");
        element(b, "p", notice_text(&p->page, p->notice));
        if (p->n_faults > 0) {
                buf_adds(b, "<ul>\n");
                for (size_t i = 0; i < p->n_faults; i++) {
                        const struct form_options *f = p->sent->form;
                        size_t n = index_of(f, p->faults[i].field);

                        if (n == 0)
                                continue;
                        buf_addf(b, "<li><a href=\"#f%zu\">", n);
                        html(b, web_form_label(&f->fields[n - 1], p->page.language));
                        buf_adds(b, "</a>: ");
                        html(b, p->faults[i].text);
                        buf_adds(b, "</li>\n");
                }
                buf_adds(b, "</ul>\n");
        }
        buf_adds(b, "</div>\n");
}

/* What every control has: name, id, what describes it, whether it must be filled in. */
static void
control_attributes(struct buf *b, const struct page_form *p,
    const struct field_options *f, size_t n, bool hint)
{
        const char *fault = fault_of(p, f->name);

        buf_addf(b, " id=\"f%zu\"", n);
        attribute(b, "name", f->name);
        if (f->required)
                buf_adds(b, " required");
        if (hint || fault != NULL) {
                buf_adds(b, " aria-describedby=\"");
                if (fault != NULL)
                        buf_addf(b, "e%zu%s", n, hint ? " " : "");
                if (hint)
                        buf_addf(b, "h%zu", n);
                buf_addc(b, '"');
        }
        if (fault == NULL)
                return;
        buf_adds(b, " aria-invalid=\"true\"");
        if (p->n_faults > 0 && strcmp(p->faults[0].field, f->name) == 0)
                buf_adds(b, " autofocus");
}

static const char *
control_type(const struct field_options *f)
{
        switch (f->type) {
        case FIELD_EMAIL:
                return "email\" autocomplete=\"email\" inputmode=\"email";
        case FIELD_PHONE:
                return "tel\" autocomplete=\"tel\" inputmode=\"tel";
        case FIELD_NUMBER:
                return "text\" inputmode=\"decimal";
        case FIELD_DATE:
                return "date";
        case FIELD_LINE:
                return strcmp(f->name, "name") == 0 ? "text\" autocomplete=\"name"
                                                    : "text";
        case FIELD_TEXT:
        case FIELD_CHOICES:
        case FIELD_FILES:
        case FIELD_CONSENT:
                break;
        }
        return "text";
}

static const char *
kept(const struct page_form *p, const struct field_options *f)
{
        const char *v = web_form_value(p->sent, f->name, 0);

        return v == NULL ? "" : v;
}

static void
write_choices(
    struct buf *b, const struct page_form *p, const struct field_options *f, size_t n)
{
        buf_adds(b, "<select");
        control_attributes(b, p, f, n, false);
        buf_adds(b, ">\n<option value=\"\">");
        html(b, SAY(&p->page, "— выберите —", "— choose —"));
        buf_adds(b, "</option>\n");
        for (size_t i = 0; i < f->n_choices; i++) {
                buf_adds(b, "<option");
                attribute(b, "value", f->choices[i]);
                if (strcmp(kept(p, f), f->choices[i]) == 0)
                        buf_adds(b, " selected");
                buf_adds(b, ">");
                html(b, f->choices[i]);
                buf_adds(b, "</option>\n");
        }
        buf_adds(b, "</select>\n");
}

static void
write_files(
    struct buf *b, const struct page_form *p, const struct field_options *f, size_t n)
{
        buf_addf(b, "<p class=\"hint\" id=\"h%zu\">", n);
        buf_addf(b,
            SAY(&p->page, "Не больше %u, вместе до %llu МБ.",
                "At most %u, %llu MB together."),
            f->at_most, (unsigned long long)((f->limit + (1 << 20) - 1) >> 20));
        if (p->notice != NOTICE_NONE) {
                buf_addc(b, ' ');
                html(b, SAY(&p->page, "Файлы нужно выбрать ещё раз.",
                            "Files must be chosen again."));
        }
        buf_adds(b, "</p>\n<input type=\"file\"");
        control_attributes(b, p, f, n, true);
        buf_adds(b, f->at_most > 1 ? " multiple>\n" : ">\n");
}

static void
write_label(
    struct buf *b, const struct page_form *p, const struct field_options *f, size_t n)
{
        buf_addf(b, "<label for=\"f%zu\">", n);
        html(b, web_form_label(f, p->page.language));
        if (f->required)
                buf_adds(b, " <span class=\"must\" aria-hidden=\"true\">*</span>");
        buf_adds(b, "</label>\n");
}

static void
write_fault(
    struct buf *b, const struct page_form *p, const struct field_options *f, size_t n)
{
        const char *fault = fault_of(p, f->name);

        if (fault == NULL)
                return;
        buf_addf(b, "<p class=\"fault\" id=\"e%zu\">", n);
        html(b, fault);
        buf_adds(b, "</p>\n");
}

static void
write_consent(
    struct buf *b, const struct page_form *p, const struct field_options *f, size_t n)
{
        buf_addf(b, "<div class=\"consent\" id=\"h%zu\" tabindex=\"0\">", n);
        html(b, f->text);
        buf_adds(b, "</div>\n");
        write_fault(b, p, f, n);
        buf_adds(b, "<p class=\"check\"><input type=\"checkbox\" value=\"yes\"");
        control_attributes(b, p, f, n, true);
        if (*kept(p, f) != '\0')
                buf_adds(b, " checked");
        buf_addf(b, ">\n<label for=\"f%zu\">", n);
        html(b, f->n_labels > 0 ? web_form_label(f, p->page.language)
                                : SAY(&p->page, "Я согласен (согласна)", "I agree"));
        if (f->required)
                buf_adds(b, " <span class=\"must\" aria-hidden=\"true\">*</span>");
        buf_adds(b, "</label></p>\n");
}

static void
write_field(
    struct buf *b, const struct page_form *p, const struct field_options *f, size_t n)
{
        buf_addf(b, "<div class=\"field%s\">\n",
            fault_of(p, f->name) != NULL ? " faulty" : "");
        if (f->type == FIELD_CONSENT) {
                write_consent(b, p, f, n);
                buf_adds(b, "</div>\n");
                return;
        }
        write_label(b, p, f, n);
        write_fault(b, p, f, n);
        if (f->type == FIELD_TEXT) {
                buf_adds(b, "<textarea rows=\"8\"");
                control_attributes(b, p, f, n, false);
                buf_adds(b, ">\n"); /* a first line end is not part of the text */
                html(b, kept(p, f));
                buf_adds(b, "</textarea>\n");
        } else if (f->type == FIELD_CHOICES) {
                write_choices(b, p, f, n);
        } else if (f->type == FIELD_FILES) {
                write_files(b, p, f, n);
        } else {
                buf_addf(b, "<input type=\"%s\"", control_type(f));
                control_attributes(b, p, f, n, false);
                attribute(b, "value", kept(p, f));
                buf_adds(b, ">\n");
        }
        buf_adds(b, "</div>\n");
}

/* Robots fill it in; people neither see it nor reach it by the keyboard. */
static void
write_trap(struct buf *b)
{
        buf_adds(b,
            "<div class=\"away\" aria-hidden=\"true\"><label for=\"w\">Website</label>"
            "<input type=\"text\" id=\"w\" name=\"" PAGE_TRAP
            "\" tabindex=\"-1\" autocomplete=\"off\"></div>\n");
}

static void
form_open(struct buf *b, const struct page *p, bool files, const char *token)
{
        buf_adds(b, "<form method=\"post\" accept-charset=\"utf-8\"");
        if (files)
                buf_adds(b, " enctype=\"multipart/form-data\"");
        attribute(b, "action", p->path);
        b->len--;
        buf_addf(b, "?lang=%s\">\n<input type=\"hidden\" name=\"" PAGE_TOKEN "\"",
            p->language);
        attribute(b, "value", token);
        buf_adds(b, ">\n");
}

void
page_form(struct buf *b, const struct page_form *p)
{
        const struct form_options *f = p->sent->form;
        bool files = false, must = false;

        for (size_t i = 0; i < f->n_fields; i++) {
                files |= f->fields[i].type == FIELD_FILES;
                must |= f->fields[i].required;
        }
        page_begin(b, &p->page, SAY(&p->page, "Написать в поддержку", "Contact support"));
        write_notice(b, p);
        form_open(b, &p->page, files, p->token);
        if (must)
                element(b, "p class=\"hint\"",
                    SAY(&p->page, "Поля со звёздочкой (*) нужно заполнить.",
                        "Fields with an asterisk (*) must be filled in."));
        for (size_t i = 0; i < f->n_fields; i++)
                write_field(b, p, &f->fields[i], i + 1);
        write_trap(b);
        buf_adds(b, "<p><button type=\"submit\">");
        html(b, SAY(&p->page, "Отправить", "Send"));
        buf_adds(b, "</button></p>\n</form>\n");
        page_end(b);
}

void
page_snippet(
    struct buf *b, const struct form_options *f, const char *language, const char *url)
{
        struct form_sent nothing = {.form = f, .language = language};
        struct page_form p = {.page = {.language = language}, .sent = &nothing};
        bool files = false;

        for (size_t i = 0; i < f->n_fields; i++)
                files |= f->fields[i].type == FIELD_FILES;
        buf_adds(b, "<form method=\"post\" accept-charset=\"utf-8\"");
        if (files)
                buf_adds(b, " enctype=\"multipart/form-data\"");
        buf_adds(b, " action=\"");
        html(b, url);
        buf_adds(b, "/f/");
        html(b, f->name);
        buf_addf(b, "?lang=%s\">\n", language);
        for (size_t i = 0; i < f->n_fields; i++)
                write_field(b, &p, &f->fields[i], i + 1);
        buf_adds(b, "<div style=\"position:absolute;left:-10000px\" aria-hidden=\"true\">"
                    "<input type=\"text\" name=\"" PAGE_TRAP
                    "\" tabindex=\"-1\" autocomplete=\"off\"></div>\n"
                    "<p><button type=\"submit\">");
        html(b, SAY(&p.page, "Отправить", "Send"));
        buf_adds(b, "</button></p>\n</form>\n");
}

void
page_thanks(struct buf *b, const struct page *p, const char *ticket, const char *status)
{
        page_begin(b, p, SAY(p, "Спасибо!", "Thank you!"));
        buf_adds(b, "<p>");
        html(b, SAY(p, "Ваше обращение принято.", "We have got your request."));
        if (*ticket != '\0') {
                buf_addc(b, ' ');
                html(b, SAY(p, "Его номер:", "Its number is"));
                buf_adds(b, " <strong class=\"ticket\">");
                html(b, ticket);
                buf_adds(b, "</strong>");
        }
        buf_adds(b, "</p>\n");
        if (*status != '\0') {
                element(b, "p",
                    SAY(p,
                        "Что с ним сейчас, можно узнать по этой ссылке. Она только для "
                        "вас: "
                        "сохраните её.",
                        "You can see what happens with it behind this link. It is for "
                        "you "
                        "alone: keep it."));
                buf_adds(b, "<p>");
                link_to(b, status, SAY(p, "Моё обращение", "My request"));
                buf_adds(b, "</p>\n");
        }
        page_end(b);
}

/* ---- status ---- */

static const char *
state_words(const struct page *p, enum ticket_state s)
{
        switch (s) {
        case TICKET_QUEUED:
                return SAY(p, "ждёт специалиста", "waiting for a specialist");
        case TICKET_HELD:
                return SAY(p, "в работе", "being worked on");
        case TICKET_WAITING:
                return SAY(
                    p, "мы ответили и ждём вас", "we have answered and wait for you");
        case TICKET_RESOLVED:
                return SAY(p, "решено", "resolved");
        case TICKET_CLOSED:
                return SAY(p, "закрыто", "closed");
        case TICKET_MERGED:
                return SAY(p, "объединено с другим вашим обращением",
                    "joined with another request of yours");
        }
        return "";
}

static void
write_time(struct buf *b, int64_t us)
{
        char at[25];

        clock_format(us, at);
        buf_addf(b, "<time datetime=\"%s\">%.10s %.5s UTC</time>", at, at, at + 11);
}

static void
write_message(struct buf *b, const struct page *p, const struct message *m)
{
        bool ours = m->direction == MESSAGE_OUT;

        buf_addf(b, "<article class=\"%s\">\n<p class=\"who\"><strong>",
            ours ? "ours" : "his");
        html(b, ours ? (*m->from.name != '\0' ? m->from.name : p->desk)
                     : (*m->from.name != '\0' ? m->from.name : SAY(p, "Вы", "You")));
        buf_adds(b, "</strong> ");
        write_time(b, m->received_at_us);
        buf_adds(b, "</p>\n<p class=\"text\">");
        html(b, *m->new_text != '\0' ? m->new_text : m->text);
        buf_adds(b, "</p>\n");
        for (size_t i = 0; i < m->n_attachments && m->kind != MESSAGE_FORM; i++)
                element(b, "p class=\"file\"", m->attachments[i].name);
        buf_adds(b, "</article>\n");
}

static void
write_reply_box(struct buf *b, const struct page_status *p)
{
        bool faulty = *p->fault != '\0';

        form_open(b, &p->page, false, p->token);
        buf_addf(
            b, "<div class=\"field%s\">\n<label for=\"f1\">", faulty ? " faulty" : "");
        html(b, SAY(&p->page, "Написать ещё", "Write more"));
        buf_adds(b, "</label>\n");
        if (faulty) {
                buf_adds(b, "<p class=\"fault\" id=\"e1\">");
                html(b, p->fault);
                buf_adds(b, "</p>\n");
        }
        buf_adds(b, "<textarea id=\"f1\" name=\"text\" rows=\"6\" required");
        if (faulty)
                buf_adds(b, " aria-invalid=\"true\" aria-describedby=\"e1\" autofocus");
        buf_adds(b, ">\n");
        html(b, p->text);
        buf_adds(b, "</textarea>\n</div>\n");
        write_trap(b);
        buf_adds(b, "<p><button type=\"submit\">");
        html(b, SAY(&p->page, "Отправить", "Send"));
        buf_adds(b, "</button></p>\n</form>\n");
}

void
page_status(struct buf *b, const struct page_status *p)
{
        const struct ticket *t = p->ticket;
        char title[64];

        snprintf(title, sizeof title, SAY(&p->page, "Обращение %s", "Request %s"), t->id);
        page_begin(b, &p->page, title);
        if (p->notice != NOTICE_NONE || p->sent) {
                buf_addf(b, "<div class=\"notice%s\" role=\"%s\">\n",
                    p->sent ? " good" : "", p->sent ? "status" : "alert");
                element(b, "p",
                    p->sent ? SAY(&p->page, "Ваше сообщение принято.",
                                  "Your message has been taken.")
                            : notice_text(&p->page, p->notice));
                buf_adds(b, "</div>\n");
        }
        if (*t->subject != '\0')
                element(b, "p class=\"subject\"", t->subject);
        if (p->known) {
                buf_adds(b, "<p>");
                html(b, SAY(&p->page, "Сейчас: ", "Now: "));
                element(b, "strong class=\"state\"", state_words(&p->page, t->state));
                buf_adds(b, "</p>\n");
        }
        if (p->cut)
                element(b, "p class=\"hint\"",
                    SAY(&p->page, "Показаны последние сообщения.",
                        "The latest messages are shown."));
        for (size_t i = 0; i < p->n_messages; i++)
                if (p->messages[i]->direction != MESSAGE_NOTE)
                        write_message(b, &p->page, p->messages[i]);
        write_reply_box(b, p);
        page_end(b);
}

/* ---- errors ---- */

int
page_error_status(enum page_error e)
{
        switch (e) {
        case PAGE_NOT_FOUND:
                return 404;
        case PAGE_FORBIDDEN:
                return 403;
        case PAGE_TOO_LARGE:
                return 413;
        case PAGE_BROKEN:
                return 400;
        case PAGE_TYPE:
                return 415;
        case PAGE_STORE_AWAY:
                return 503;
        }
        return 500;
}

const char *
page_error_sentence(enum page_error e)
{
        switch (e) {
        case PAGE_NOT_FOUND:
                return "There is nothing here.";
        case PAGE_FORBIDDEN:
                return "This form may not be sent from that site.";
        case PAGE_TOO_LARGE:
                return "This is too large. Go back and send it with fewer or smaller "
                       "files.";
        case PAGE_BROKEN:
                return "What was sent could not be read. Go back and send it again.";
        case PAGE_TYPE:
                return "A form is sent as multipart/form-data, "
                       "application/x-www-form-urlencoded or application/json.";
        case PAGE_STORE_AWAY:
                return "This cannot be shown right now. Try again in a minute.";
        }
        return "";
}

static const char *
error_sentence_ru(enum page_error e)
{
        switch (e) {
        case PAGE_NOT_FOUND:
                return "Здесь ничего нет.";
        case PAGE_FORBIDDEN:
                return "С того сайта эту форму отправлять нельзя.";
        case PAGE_TOO_LARGE:
                return "Это слишком много. Вернитесь назад и отправьте меньше файлов.";
        case PAGE_BROKEN:
                return "Прочитать отправленное не удалось. Вернитесь назад и отправьте "
                       "ещё "
                       "раз.";
        case PAGE_TYPE:
                return "Форма отправляется как multipart/form-data, "
                       "application/x-www-form-urlencoded или application/json.";
        case PAGE_STORE_AWAY:
                return "Сейчас это показать не получится. Попробуйте через минуту.";
        }
        return "";
}

void
page_error(struct buf *b, const struct page *p, enum page_error e)
{
        page_begin(b, p,
            e == PAGE_NOT_FOUND ? SAY(p, "Не найдено", "Not found")
                                : SAY(p, "Не получилось", "That did not work"));
        element(b, "p", SAY(p, error_sentence_ru(e), page_error_sentence(e)));
        page_end(b);
}
