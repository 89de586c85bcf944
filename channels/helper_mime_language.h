/*
 * In which language a text is: ISO 639-1 ("ru", "en", "de" ...), "" when it is too short
 * to tell. Letters first (they decide Cyrillic, and scripts that one language has), then
 * the commonest words of 20 languages, then libexttextcat. At most the first 700 bytes
 * of what is new are looked at, so the cost does not grow with the mail.
 */
#ifndef HELPLINE_CHANNELS_HELPER_MIME_LANGUAGE_H
#define HELPLINE_CHANNELS_HELPER_MIME_LANGUAGE_H

#include "daemon/model/message.h"

/* Reads the models. Call once, before files are forbidden; without it (or without the
 * models) letters and words decide alone. */
void mime_language_preload(void);

/* The language of a text and, where that is short, of the subject with it; *why (may be
 * NULL): a constant, what decided. Static string. */
const char *mime_language_of(const char *subject, const char *text, const char **why);

/* Sets m->language of m->new_text (else m->text) and m->subject; a finding "language". */
void mime_language(struct message *m);

#endif
