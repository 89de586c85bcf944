/*
 * The words of machines in many languages: how the subjects of their mails begin, and what
 * they say. Folded (utf8_fold: small letters, ё is е). A subject that begins so is strong,
 * a phrase is weak: people write "I am on vacation" as well, and quote machines. To add a
 * language add its lines; weights are explained in intake_marks.h.
 */
#include "daemon/intake_marks.h"

#include <stdint.h>
#include <string.h>

#define AUTO MESSAGE_AUTO_REPLY
#define BOUNCE MESSAGE_BOUNCE
#define REPORT MESSAGE_REPORT
#define INVITED MESSAGE_THANKS /* counts only beside a calendar */

/* The second weight: with a colon behind it. */
static const struct marked_words subjects[] = {
    /* an automatic reply */
    {"automatic reply", AUTO, 70, 100},
    {"automatic response", AUTO, 70, 100},
    {"automated reply", AUTO, 70, 100},
    {"automated response", AUTO, 70, 100},
    {"auto-reply", AUTO, 70, 100},
    {"auto reply", AUTO, 70, 100},
    {"autoreply", AUTO, 70, 100},
    {"auto-response", AUTO, 70, 100},
    {"auto response", AUTO, 70, 100},
    {"autoresponse", AUTO, 70, 100},
    {"auto-responder", AUTO, 70, 100},
    {"autoresponder", AUTO, 70, 100},
    {"automatische antwort", AUTO, 70, 100},
    {"automatische antwoord", AUTO, 70, 100},
    {"automatisch antwoord", AUTO, 70, 100},
    {"autoantwort", AUTO, 70, 100},
    {"automatische rückmeldung", AUTO, 70, 100},
    {"réponse automatique", AUTO, 70, 100},
    {"respuesta automática", AUTO, 70, 100},
    {"respuesta automatica", AUTO, 70, 100},
    {"risposta automatica", AUTO, 70, 100},
    {"resposta automática", AUTO, 70, 100},
    {"automatiskt svar", AUTO, 70, 100},
    {"automatisk svar", AUTO, 70, 100},
    {"autosvar", AUTO, 70, 100},
    {"automaattinen vastaus", AUTO, 70, 100},
    {"automaattivastaus", AUTO, 70, 100},
    {"odpowiedź automatyczna", AUTO, 70, 100},
    {"automatyczna odpowiedź", AUTO, 70, 100},
    {"automatická odpověď", AUTO, 70, 100},
    {"automatická odpoveď", AUTO, 70, 100},
    {"automatikus válasz", AUTO, 70, 100},
    {"răspuns automat", AUTO, 70, 100},
    {"otomatik yanıt", AUTO, 70, 100},
    {"otomatik cevap", AUTO, 70, 100},
    {"automatski odgovor", AUTO, 70, 100},
    {"samodejni odgovor", AUTO, 70, 100},
    {"automatinis atsakymas", AUTO, 70, 100},
    {"automātiska atbilde", AUTO, 70, 100},
    {"automaatvastus", AUTO, 70, 100},
    {"automaatne vastus", AUTO, 70, 100},
    {"автоматический ответ", AUTO, 70, 100},
    {"автоматическое уведомление об отсутствии", AUTO, 70, 100},
    {"автоответ", AUTO, 70, 100},
    {"автоответчик", AUTO, 70, 100},
    {"автоматична відповідь", AUTO, 70, 100},
    {"автовідповідь", AUTO, 70, 100},
    {"аўтаматычны адказ", AUTO, 70, 100},
    {"автоматичен отговор", AUTO, 70, 100},
    {"аутоматски одговор", AUTO, 70, 100},
    {"αυτόματη απάντηση", AUTO, 70, 100},
    {"自動返信", AUTO, 70, 100},
    {"自動応答", AUTO, 70, 100},
    {"自动答复", AUTO, 70, 100},
    {"自动回复", AUTO, 70, 100},
    {"自動回覆", AUTO, 70, 100},
    {"자동 회신", AUTO, 70, 100},
    {"자동 응답", AUTO, 70, 100},
    {"תשובה אוטומטית", AUTO, 70, 100},
    {"رد تلقائي", AUTO, 70, 100},
    {"trả lời tự động", AUTO, 70, 100},
    {"balasan otomatis", AUTO, 70, 100},
    {"abwesenheitsnotiz", AUTO, 70, 100},
    {"abwesenheitsassistent", AUTO, 70, 100},
    {"abwesenheitsbenachrichtigung", AUTO, 70, 100},
    {"out of office autoreply", AUTO, 70, 100},
    {"out of office reply", AUTO, 70, 100},
    {"out-of-office reply", AUTO, 70, 100},
    {"vacation reply", AUTO, 70, 100},
    {"vacation response", AUTO, 70, 100},
    {"message d'absence", AUTO, 70, 100},
    {"notification d'absence", AUTO, 70, 100},
    {"avviso di assenza", AUTO, 70, 100},
    {"aviso de ausencia", AUTO, 70, 100},
    {"aviso de ausência", AUTO, 70, 100},
    {"afwezigheidsbericht", AUTO, 70, 100},
    {"frånvaromeddelande", AUTO, 70, 100},
    {"fraværsmelding", AUTO, 70, 100},
    {"fraværsbesked", AUTO, 70, 100},
    {"poissaoloilmoitus", AUTO, 70, 100},
    {"powiadomienie o nieobecności", AUTO, 70, 100},
    {"oznámení o nepřítomnosti", AUTO, 70, 100},
    {"уведомление об отсутствии", AUTO, 70, 100},
    {"сообщение об отсутствии", AUTO, 70, 100},
    {"auto", AUTO, 0, 60},
    /* away */
    {"out of office", AUTO, 50, 80},
    {"out of the office", AUTO, 50, 80},
    {"out-of-office", AUTO, 50, 80},
    {"away from the office", AUTO, 50, 80},
    {"away from my mail", AUTO, 50, 80},
    {"away from office", AUTO, 50, 80},
    {"away until", AUTO, 50, 80},
    {"i am away", AUTO, 50, 80},
    {"i'm away", AUTO, 50, 80},
    {"on vacation", AUTO, 50, 80},
    {"on holiday", AUTO, 50, 80},
    {"on leave", AUTO, 50, 80},
    {"on annual leave", AUTO, 50, 80},
    {"maternity leave", AUTO, 50, 80},
    {"currently away", AUTO, 50, 80},
    {"ooo", AUTO, 50, 80},
    {"ooto", AUTO, 50, 80},
    {"abwesenheit", AUTO, 50, 80},
    {"abwesend", AUTO, 50, 80},
    {"nicht im büro", AUTO, 50, 80},
    {"im urlaub", AUTO, 50, 80},
    {"urlaub", AUTO, 50, 80},
    {"absence du bureau", AUTO, 50, 80},
    {"absence", AUTO, 50, 80},
    {"absent du bureau", AUTO, 50, 80},
    {"absent", AUTO, 50, 80},
    {"en congé", AUTO, 50, 80},
    {"en congés", AUTO, 50, 80},
    {"en vacances", AUTO, 50, 80},
    {"fuera de la oficina", AUTO, 50, 80},
    {"fuera de oficina", AUTO, 50, 80},
    {"ausencia", AUTO, 50, 80},
    {"ausente", AUTO, 50, 80},
    {"de vacaciones", AUTO, 50, 80},
    {"fuori ufficio", AUTO, 50, 80},
    {"assenza", AUTO, 50, 80},
    {"in ferie", AUTO, 50, 80},
    {"fora do escritório", AUTO, 50, 80},
    {"ausência", AUTO, 50, 80},
    {"de férias", AUTO, 50, 80},
    {"afwezig", AUTO, 50, 80},
    {"afwezigheid", AUTO, 50, 80},
    {"niet op kantoor", AUTO, 50, 80},
    {"op vakantie", AUTO, 50, 80},
    {"frånvarande", AUTO, 50, 80},
    {"frånvaro", AUTO, 50, 80},
    {"semester", AUTO, 50, 80},
    {"fravær", AUTO, 50, 80},
    {"fraværende", AUTO, 50, 80},
    {"ferie", AUTO, 50, 80},
    {"på ferie", AUTO, 50, 80},
    {"poissa", AUTO, 50, 80},
    {"poissaolo", AUTO, 50, 80},
    {"lomalla", AUTO, 50, 80},
    {"nieobecność", AUTO, 50, 80},
    {"nieobecny", AUTO, 50, 80},
    {"poza biurem", AUTO, 50, 80},
    {"urlop", AUTO, 50, 80},
    {"mimo kancelář", AUTO, 50, 80},
    {"nepřítomnost", AUTO, 50, 80},
    {"dovolená", AUTO, 50, 80},
    {"házon kívül", AUTO, 50, 80},
    {"szabadságon", AUTO, 50, 80},
    {"ofis dışında", AUTO, 50, 80},
    {"izindeyim", AUTO, 50, 80},
    {"нет на работе", AUTO, 50, 80},
    {"нет в офисе", AUTO, 50, 80},
    {"нет на месте", AUTO, 50, 80},
    {"отсутствую", AUTO, 50, 80},
    {"отсутствие на работе", AUTO, 50, 80},
    {"отсутствие в офисе", AUTO, 50, 80},
    {"отсутствие на рабочем месте", AUTO, 50, 80},
    {"отсутствует на рабочем месте", AUTO, 50, 80},
    {"вне офиса", AUTO, 50, 80},
    {"я в отпуске", AUTO, 50, 80},
    {"в отпуске", AUTO, 50, 80},
    {"в отпуске до", AUTO, 50, 80},
    {"в командировке", AUTO, 50, 80},
    {"отпуск", AUTO, 50, 80},
    {"на больничном", AUTO, 50, 80},
    {"у відпустці", AUTO, 50, 80},
    {"відпустка", AUTO, 50, 80},
    {"не в офісі", AUTO, 50, 80},
    {"поза офісом", AUTO, 50, 80},
    {"отсъствам", AUTO, 50, 80},
    {"не у канцеларији", AUTO, 50, 80},
    {"不在通知", AUTO, 50, 80},
    {"外出中", AUTO, 50, 80},
    {"休假", AUTO, 50, 80},
    {"부재중", AUTO, 50, 80},
    /* other automatic answers */
    {"your request has been received", AUTO, 60, 80},
    {"request received", AUTO, 60, 70},
    {"ticket received", AUTO, 60, 70},
    {"ваше обращение зарегистрировано", AUTO, 60, 80},
    {"ваша заявка зарегистрирована", AUTO, 60, 80},
    {"ваша заявка принята", AUTO, 60, 80},
    {"ваше обращение принято", AUTO, 60, 80},
    {"please confirm your message", AUTO, 60, 60},
    {"your email requires verification", AUTO, 100, 100},
    {"challenge", AUTO, 0, 50},
    {"eingangsbestätigung", AUTO, 60, 70},
    {"accusé de réception", AUTO, 60, 70},
    {"confirmation de réception", AUTO, 60, 70},
    /* bounces */
    {"undelivered mail returned to sender", BOUNCE, 100, 120},
    {"undeliverable", BOUNCE, 70, 90},
    {"undelivered mail", BOUNCE, 70, 90},
    {"undeliverable mail", BOUNCE, 100, 120},
    {"mail delivery failed", BOUNCE, 100, 120},
    {"mail delivery failure", BOUNCE, 100, 120},
    {"delivery status notification", BOUNCE, 100, 120},
    {"delivery failure", BOUNCE, 70, 90},
    {"delivery notification", BOUNCE, 60, 80},
    {"failure notice", BOUNCE, 70, 90},
    {"returned mail", BOUNCE, 80, 100},
    {"mail system error", BOUNCE, 80, 100},
    {"message undeliverable", BOUNCE, 80, 100},
    {"mail could not be delivered", BOUNCE, 80, 100},
    {"non recapitabile", BOUNCE, 60, 80},
    {"unzustellbar", BOUNCE, 80, 100},
    {"nicht zustellbar", BOUNCE, 80, 100},
    {"mail delivery subsystem", BOUNCE, 60, 80},
    {"не доставлено", BOUNCE, 70, 90},
    {"недоставленное сообщение", BOUNCE, 90, 110},
    {"сообщение не доставлено", BOUNCE, 90, 110},
    {"письмо не доставлено", BOUNCE, 90, 110},
    {"не удалось доставить", BOUNCE, 80, 100},
    {"ваше сообщение не доставлено", BOUNCE, 90, 110},
    {"non remis", BOUNCE, 60, 80},
    {"no se puede entregar", BOUNCE, 70, 90},
    {"não foi possível entregar", BOUNCE, 70, 90},
    {"onbestelbaar", BOUNCE, 80, 100},
    {"niet te bezorgen", BOUNCE, 70, 90},
    {"nie dostarczono", BOUNCE, 70, 90},
    {"niedostarczalne", BOUNCE, 80, 100},
    {"doručení se nezdařilo", BOUNCE, 80, 100},
    {"kan inte levereras", BOUNCE, 70, 90},
    {"kunne ikke leveres", BOUNCE, 70, 90},
    {"toimittaminen epäonnistui", BOUNCE, 70, 90},
    {"teslim edilemedi", BOUNCE, 80, 100},
    {"kézbesíthetetlen", BOUNCE, 80, 100},
    {"配信不能", BOUNCE, 80, 100},
    {"未送达", BOUNCE, 80, 100},
    {"无法传递", BOUNCE, 80, 100},
    /* receipts and delays */
    {"read", REPORT, 0, 60},
    {"not read", REPORT, 0, 60},
    {"read receipt", REPORT, 0, 60},
    {"return receipt", REPORT, 0, 60},
    {"return receipt (displayed)", REPORT, 80, 80},
    {"delivered", REPORT, 0, 60},
    {"relayed", REPORT, 0, 60},
    {"gelesen", REPORT, 0, 60},
    {"ungelesen", REPORT, 0, 60},
    {"lu", REPORT, 0, 60},
    {"leído", REPORT, 0, 60},
    {"letto", REPORT, 0, 60},
    {"lida", REPORT, 0, 60},
    {"gelezen", REPORT, 0, 60},
    {"läst", REPORT, 0, 60},
    {"lest", REPORT, 0, 60},
    {"læst", REPORT, 0, 60},
    {"luettu", REPORT, 0, 60},
    {"przeczytano", REPORT, 0, 60},
    {"přečteno", REPORT, 0, 60},
    {"прочтено", REPORT, 80, 80},
    {"прочитано", REPORT, 80, 80},
    {"не прочтено", REPORT, 80, 80},
    {"доставлено", REPORT, 0, 60},
    {"уведомление о прочтении", REPORT, 80, 80},
    {"开封通知", REPORT, 0, 60},
    {"開封済み", REPORT, 80, 80},
    {"已读", REPORT, 80, 80},
    {"delivery delayed", REPORT, 80, 80},
    {"delayed mail", REPORT, 70, 70},
    {"warning: could not send message", REPORT, 90, 90},
    {"доставка отложена", REPORT, 80, 80},
    {"delivery has been delayed", REPORT, 80, 80},
    {"complaint about message from", REPORT, 100, 100},
    {"report domain", REPORT, 0, 100}, /* DMARC, RFC 7489 */
    {"[preview] report domain", REPORT, 0, 100},
    {"abuse report", REPORT, 60, 80},
    /* answers to invitations */
    {"accepted", INVITED, 0, 1},
    {"declined", INVITED, 0, 1},
    {"tentatively accepted", INVITED, 0, 1},
    {"tentative", INVITED, 0, 1},
    {"abgesagt", INVITED, 0, 1},
    {"zugesagt", INVITED, 0, 1},
    {"mit vorbehalt", INVITED, 0, 1},
    {"abgelehnt", INVITED, 0, 1},
    {"accepté", INVITED, 0, 1},
    {"refusé", INVITED, 0, 1},
    {"provisoire", INVITED, 0, 1},
    {"aceptado", INVITED, 0, 1},
    {"aceptada", INVITED, 0, 1},
    {"rechazado", INVITED, 0, 1},
    {"accettato", INVITED, 0, 1},
    {"rifiutato", INVITED, 0, 1},
    {"aceito", INVITED, 0, 1},
    {"recusado", INVITED, 0, 1},
    {"geaccepteerd", INVITED, 0, 1},
    {"geweigerd", INVITED, 0, 1},
    {"accepterat", INVITED, 0, 1},
    {"avböjt", INVITED, 0, 1},
    {"akceptert", INVITED, 0, 1},
    {"accepteret", INVITED, 0, 1},
    {"hyväksytty", INVITED, 0, 1},
    {"zaakceptowano", INVITED, 0, 1},
    {"odrzucono", INVITED, 0, 1},
    {"přijato", INVITED, 0, 1},
    {"odmítnuto", INVITED, 0, 1},
    {"принято", INVITED, 0, 1},
    {"отклонено", INVITED, 0, 1},
    {"под вопросом", INVITED, 0, 1},
    {"прийнято", INVITED, 0, 1},
    {"відхилено", INVITED, 0, 1},
    {"kabul edildi", INVITED, 0, 1},
    {"elfogadva", INVITED, 0, 1},
    {"отменено", INVITED, 0, 1},
    {"canceled", INVITED, 0, 1},
    {"cancelled", INVITED, 0, 1},
    {"承諾", INVITED, 0, 1},
    {"已接受", INVITED, 0, 1},
    {"已拒绝", INVITED, 0, 1},
};

/* No colons in texts. */
static const struct marked_words phrases[] = {
    /* away */
    {"i am out of the office", AUTO, 30, 30},
    {"i'm out of the office", AUTO, 30, 30},
    {"i will be out of the office", AUTO, 30, 30},
    {"i am currently out of", AUTO, 30, 30},
    {"i'm currently out of", AUTO, 30, 30},
    {"out of the office until", AUTO, 30, 30},
    {"out of office until", AUTO, 30, 30},
    {"out of the office from", AUTO, 30, 30},
    {"i am currently away", AUTO, 30, 30},
    {"i'm currently away", AUTO, 30, 30},
    {"i am away from", AUTO, 30, 30},
    {"i am on vacation", AUTO, 30, 30},
    {"i'm on vacation", AUTO, 30, 30},
    {"i am on holiday", AUTO, 30, 30},
    {"i am on annual leave", AUTO, 30, 30},
    {"i will be on leave", AUTO, 30, 30},
    {"i am currently on", AUTO, 30, 30},
    {"on leave until", AUTO, 30, 30},
    {"limited access to email", AUTO, 30, 30},
    {"limited access to my email", AUTO, 30, 30},
    {"no access to my email", AUTO, 30, 30},
    {"no access to email", AUTO, 30, 30},
    {"will respond when i return", AUTO, 30, 30},
    {"will respond to you upon my return", AUTO, 30, 30},
    {"reply upon my return", AUTO, 30, 30},
    {"will return on", AUTO, 30, 30},
    {"will be back on", AUTO, 30, 30},
    {"back in the office on", AUTO, 30, 30},
    {"ich bin nicht im büro", AUTO, 30, 30},
    {"ich bin derzeit nicht", AUTO, 30, 30},
    {"ich bin zur zeit nicht", AUTO, 30, 30},
    {"ich bin momentan nicht", AUTO, 30, 30},
    {"ich bin bis", AUTO, 30, 30},
    {"ich bin vom", AUTO, 30, 30},
    {"ich bin im urlaub", AUTO, 30, 30},
    {"ich befinde mich im urlaub", AUTO, 30, 30},
    {"bin ich nicht im hause", AUTO, 30, 30},
    {"e-mails werden nicht weitergeleitet", AUTO, 30, 30},
    {"wird nicht weitergeleitet", AUTO, 30, 30},
    {"je suis absent", AUTO, 30, 30},
    {"je suis actuellement absent", AUTO, 30, 30},
    {"je suis en congé", AUTO, 30, 30},
    {"je suis en vacances", AUTO, 30, 30},
    {"je serai absent", AUTO, 30, 30},
    {"de retour le", AUTO, 30, 30},
    {"estoy fuera de la oficina", AUTO, 30, 30},
    {"estaré fuera", AUTO, 30, 30},
    {"me encuentro fuera", AUTO, 30, 30},
    {"estoy de vacaciones", AUTO, 30, 30},
    {"sono assente", AUTO, 30, 30},
    {"sono fuori ufficio", AUTO, 30, 30},
    {"sarò assente", AUTO, 30, 30},
    {"sono in ferie", AUTO, 30, 30},
    {"sarò in ferie", AUTO, 30, 30},
    {"estou fora do escritório", AUTO, 30, 30},
    {"estarei ausente", AUTO, 30, 30},
    {"estou ausente", AUTO, 30, 30},
    {"estou de férias", AUTO, 30, 30},
    {"ik ben afwezig", AUTO, 30, 30},
    {"ik ben niet op kantoor", AUTO, 30, 30},
    {"ik ben met vakantie", AUTO, 30, 30},
    {"ik ben op vakantie", AUTO, 30, 30},
    {"ik ben momenteel niet", AUTO, 30, 30},
    {"jag är inte på kontoret", AUTO, 30, 30},
    {"jag är på semester", AUTO, 30, 30},
    {"jag är tillbaka", AUTO, 30, 30},
    {"jag är borta", AUTO, 30, 30},
    {"jeg er ikke på kontoret", AUTO, 30, 30},
    {"jeg er på ferie", AUTO, 30, 30},
    {"jeg har ferie", AUTO, 30, 30},
    {"jeg er tilbake", AUTO, 30, 30},
    {"jeg er tilbage", AUTO, 30, 30},
    {"olen lomalla", AUTO, 30, 30},
    {"olen poissa", AUTO, 30, 30},
    {"jestem na urlopie", AUTO, 30, 30},
    {"przebywam na urlopie", AUTO, 30, 30},
    {"jestem poza biurem", AUTO, 30, 30},
    {"jestem nieobecn", AUTO, 30, 30},
    {"nie ma mnie w biurze", AUTO, 30, 30},
    {"jsem na dovolené", AUTO, 30, 30},
    {"nejsem v kanceláři", AUTO, 30, 30},
    {"jsem mimo kancelář", AUTO, 30, 30},
    {"szabadságon vagyok", AUTO, 30, 30},
    {"nem vagyok az irodában", AUTO, 30, 30},
    {"nu sunt la birou", AUTO, 30, 30},
    {"sunt în concediu", AUTO, 30, 30},
    {"izindeyim", AUTO, 30, 30},
    {"ofis dışındayım", AUTO, 30, 30},
    {"ofiste değilim", AUTO, 30, 30},
    {"я в отпуске", AUTO, 30, 30},
    {"я нахожусь в отпуске", AUTO, 30, 30},
    {"нахожусь в отпуске", AUTO, 30, 30},
    {"буду в отпуске", AUTO, 30, 30},
    {"нахожусь в командировке", AUTO, 30, 30},
    {"меня нет на работе", AUTO, 30, 30},
    {"меня не будет на работе", AUTO, 30, 30},
    {"меня нет в офисе", AUTO, 30, 30},
    {"меня нет на месте", AUTO, 30, 30},
    {"меня нет на рабочем месте", AUTO, 30, 30},
    {"отсутствую на рабочем месте", AUTO, 30, 30},
    {"отсутствую на работе", AUTO, 30, 30},
    {"буду отсутствовать", AUTO, 30, 30},
    {"в настоящее время отсутствую", AUTO, 30, 30},
    {"сейчас отсутствую", AUTO, 30, 30},
    {"я отсутствую", AUTO, 30, 30},
    {"вернусь к работе", AUTO, 30, 30},
    {"на больничном", AUTO, 30, 30},
    {"в мое отсутствие", AUTO, 30, 30},
    {"во время моего отсутствия", AUTO, 30, 30},
    {"на время моего отсутствия", AUTO, 30, 30},
    {"по срочным вопросам обращайтесь", AUTO, 30, 30},
    {"по всем вопросам обращайтесь", AUTO, 30, 30},
    {"по срочным вопросам", AUTO, 30, 30},
    {"я у відпустці", AUTO, 30, 30},
    {"перебуваю у відпустці", AUTO, 30, 30},
    {"мене немає на роботі", AUTO, 30, 30},
    {"в отпуск съм", AUTO, 30, 30},
    {"休暇をいただ", AUTO, 30, 30},
    {"不在にして", AUTO, 30, 30},
    {"外出しております", AUTO, 30, 30},
    {"正在休假", AUTO, 30, 30},
    {"不在办公室", AUTO, 30, 30},
    {"휴가 중", AUTO, 30, 30},
    {"부재중", AUTO, 30, 30},
    /* a program says so; "we have got it" */
    {"this is an automatic", AUTO, 45, 45},
    {"this is an automated", AUTO, 45, 45},
    {"this is an auto", AUTO, 45, 45},
    {"automatically generated", AUTO, 45, 45},
    {"generated automatically", AUTO, 45, 45},
    {"automated message", AUTO, 45, 45},
    {"automated response", AUTO, 45, 45},
    {"automatic response", AUTO, 45, 45},
    {"auto-generated", AUTO, 45, 45},
    {"do not reply to this", AUTO, 45, 45},
    {"please do not reply", AUTO, 45, 45},
    {"do not respond to this", AUTO, 45, 45},
    {"this mailbox is not monitored", AUTO, 45, 45},
    {"this mailbox is unmonitored", AUTO, 45, 45},
    {"not monitored", AUTO, 45, 45},
    {"we have received your request", AUTO, 45, 45},
    {"we have received your message", AUTO, 45, 45},
    {"we have received your email", AUTO, 45, 45},
    {"we've received your request", AUTO, 45, 45},
    {"we received your request", AUTO, 45, 45},
    {"your request has been received", AUTO, 45, 45},
    {"your message has been received", AUTO, 45, 45},
    {"your email has been received", AUTO, 45, 45},
    {"has been received and", AUTO, 45, 45},
    {"ticket has been created", AUTO, 45, 45},
    {"request has been created", AUTO, 45, 45},
    {"a ticket has been opened", AUTO, 45, 45},
    {"has been assigned ticket", AUTO, 45, 45},
    {"thank you for contacting", AUTO, 45, 45},
    {"thanks for contacting", AUTO, 45, 45},
    {"we will get back to you", AUTO, 45, 45},
    {"we will respond within", AUTO, 45, 45},
    {"a new ticket", AUTO, 45, 45},
    {"dies ist eine automatisch", AUTO, 45, 45},
    {"automatisch erstellt", AUTO, 45, 45},
    {"automatisch generiert", AUTO, 45, 45},
    {"automatisch erzeugt", AUTO, 45, 45},
    {"nicht auf diese e-mail", AUTO, 45, 45},
    {"ihre anfrage ist bei uns eingegangen", AUTO, 45, 45},
    {"ihre nachricht ist bei uns eingegangen", AUTO, 45, 45},
    {"wir haben ihre anfrage erhalten", AUTO, 45, 45},
    {"vielen dank für ihre anfrage", AUTO, 45, 45},
    {"ceci est un message automatique", AUTO, 45, 45},
    {"message automatique", AUTO, 45, 45},
    {"réponse automatique", AUTO, 45, 45},
    {"généré automatiquement", AUTO, 45, 45},
    {"merci de ne pas répondre", AUTO, 45, 45},
    {"ne pas répondre à ce", AUTO, 45, 45},
    {"nous avons bien reçu votre", AUTO, 45, 45},
    {"votre demande a bien été", AUTO, 45, 45},
    {"este es un mensaje automático", AUTO, 45, 45},
    {"mensaje automático", AUTO, 45, 45},
    {"respuesta automática", AUTO, 45, 45},
    {"generado automáticamente", AUTO, 45, 45},
    {"no responda a este", AUTO, 45, 45},
    {"por favor no responda", AUTO, 45, 45},
    {"hemos recibido su", AUTO, 45, 45},
    {"questo è un messaggio automatico", AUTO, 45, 45},
    {"messaggio automatico", AUTO, 45, 45},
    {"generata automaticamente", AUTO, 45, 45},
    {"generato automaticamente", AUTO, 45, 45},
    {"non rispondere a questa", AUTO, 45, 45},
    {"si prega di non rispondere", AUTO, 45, 45},
    {"abbiamo ricevuto la", AUTO, 45, 45},
    {"mensagem automática", AUTO, 45, 45},
    {"gerada automaticamente", AUTO, 45, 45},
    {"não responda a este", AUTO, 45, 45},
    {"recebemos a sua", AUTO, 45, 45},
    {"recebemos seu", AUTO, 45, 45},
    {"dit is een automatisch", AUTO, 45, 45},
    {"automatisch gegenereerd", AUTO, 45, 45},
    {"niet op deze e-mail", AUTO, 45, 45},
    {"wij hebben uw", AUTO, 45, 45},
    {"detta är ett automatiskt", AUTO, 45, 45},
    {"svara inte på detta", AUTO, 45, 45},
    {"dette er en automatisk", AUTO, 45, 45},
    {"ikke svar på denne", AUTO, 45, 45},
    {"tämä on automaattinen", AUTO, 45, 45},
    {"älä vastaa tähän", AUTO, 45, 45},
    {"wiadomość automatyczna", AUTO, 45, 45},
    {"wygenerowana automatycznie", AUTO, 45, 45},
    {"automatycznie wygenerowana", AUTO, 45, 45},
    {"prosimy nie odpowiadać", AUTO, 45, 45},
    {"nie odpowiadaj na", AUTO, 45, 45},
    {"toto je automatic", AUTO, 45, 45},
    {"automaticky generovan", AUTO, 45, 45},
    {"neodpovídejte na", AUTO, 45, 45},
    {"ez egy automatikus", AUTO, 45, 45},
    {"automatikus üzenet", AUTO, 45, 45},
    {"bu otomatik", AUTO, 45, 45},
    {"otomatik olarak", AUTO, 45, 45},
    {"это автоматическое", AUTO, 45, 45},
    {"это письмо сформировано автоматически", AUTO, 45, 45},
    {"письмо сформировано автоматически", AUTO, 45, 45},
    {"сформировано автоматически", AUTO, 45, 45},
    {"сгенерировано автоматически", AUTO, 45, 45},
    {"создано автоматически", AUTO, 45, 45},
    {"отправлено автоматически", AUTO, 45, 45},
    {"автоматическое сообщение", AUTO, 45, 45},
    {"автоматическое уведомление", AUTO, 45, 45},
    {"автоматический ответ", AUTO, 45, 45},
    {"не отвечайте на это", AUTO, 45, 45},
    {"не отвечайте на данное", AUTO, 45, 45},
    {"не нужно отвечать на это", AUTO, 45, 45},
    {"отвечать на него не нужно", AUTO, 45, 45},
    {"отвечать на это письмо не", AUTO, 45, 45},
    {"ваша заявка зарегистрирована", AUTO, 45, 45},
    {"ваша заявка принята", AUTO, 45, 45},
    {"ваше обращение зарегистрировано", AUTO, 45, 45},
    {"ваше обращение принято", AUTO, 45, 45},
    {"ваше обращение получено", AUTO, 45, 45},
    {"ваш запрос зарегистрирован", AUTO, 45, 45},
    {"ваш запрос принят", AUTO, 45, 45},
    {"ваше письмо получено", AUTO, 45, 45},
    {"заявка зарегистрирована", AUTO, 45, 45},
    {"обращение зарегистрировано", AUTO, 45, 45},
    {"присвоен номер", AUTO, 45, 45},
    {"благодарим за обращение", AUTO, 45, 45},
    {"мы получили ваше", AUTO, 45, 45},
    {"мы получили ваш", AUTO, 45, 45},
    {"мы ответим вам", AUTO, 45, 45},
    {"це автоматичне", AUTO, 45, 45},
    {"автоматичне повідомлення", AUTO, 45, 45},
    {"не відповідайте на", AUTO, 45, 45},
    {"ваша заявка зареєстрована", AUTO, 45, 45},
    {"このメールは自動", AUTO, 45, 45},
    {"自動送信", AUTO, 45, 45},
    {"自动发送", AUTO, 45, 45},
    {"请勿回复", AUTO, 45, 45},
    {"자동으로 발송", AUTO, 45, 45},
    /* challenges */
    {"click the link below to confirm", AUTO, 45, 45},
    {"verify that you are a human", AUTO, 45, 45},
    {"confirm that you are human", AUTO, 45, 45},
    {"requires verification", AUTO, 45, 45},
    {"to have your message delivered", AUTO, 45, 45},
    {"your message is being held", AUTO, 45, 45},
    {"подтвердите, что вы не робот", AUTO, 45, 45},
    {"чтобы ваше письмо было доставлено", AUTO, 45, 45},
    /* receipts */
    {"was read on", REPORT, 45, 45},
    {"was displayed on", REPORT, 45, 45},
    {"was deleted without being read", REPORT, 45, 45},
    {"this receipt only acknowledges", REPORT, 45, 45},
    {"this is a return receipt", REPORT, 45, 45},
    {"прочитано", REPORT, 25, 45},
    {"прочтено", REPORT, 25, 45},
    /* bounces */
    {"could not be delivered", BOUNCE, 45, 45},
    {"delivery to the following recipient", BOUNCE, 45, 45},
    {"i wasn't able to deliver", BOUNCE, 45, 45},
    {"this message was created automatically by mail delivery software", BOUNCE, 45, 45},
    {"was undeliverable", BOUNCE, 45, 45},
    {"had permanent fatal errors", BOUNCE, 45, 45},
    {"host or domain name not found", BOUNCE, 45, 45},
    {"recipient address rejected", BOUNCE, 45, 45},
    {"не удалось доставить", BOUNCE, 45, 45},
    {"не может быть доставлено", BOUNCE, 45, 45},
};

#define N_OF(array) (sizeof(array) / sizeof *(array))

/* What may stand behind the words of a subject that is a machine's: nothing, a sign, or
 * how long ("out of office hours question" is a person's); behind the surest, anything. */
static bool
ends_there(const char *s)
{
        static const char *const behind[] = {" re:", " fwd:", " until ", " till ",
            " from ", " through ", " bis ", " vom ", " von ", " до ", " с ", " по ",
            " jusqu", " du ", " au ", " hasta ", " fino ", " dal ", " até ", " tot ",
            " t/m ", " do ", " od ", " för ", " re "};

        for (size_t i = 0; i < N_OF(behind); i++)
                if (strncmp(s, behind[i], strlen(behind[i])) == 0)
                        return true;
        s += strspn(s, " ");
        return *s == '\0' || strchr(":;,.!|/()[]-", *s) != NULL ||
               strncmp(s, "\xe2\x80\x93", 3) == 0 || strncmp(s, "\xe2\x80\x94", 3) == 0 ||
               strncmp(s, "\xef\xbc\x9a", 3) == 0;
}

static bool
has_colon(const char *s)
{
        s += strspn(s, " \xc2\xa0)]");
        return *s == ':' || strncmp(s, "\xef\xbc\x9a", 3) == 0;
}

const struct marked_words *
words_of_subject(const char *subject, int *weight)
{
        const struct marked_words *best = NULL;

        *weight = 0;
        subject += strspn(subject, " \t[(\"*!");
        for (size_t i = 0; i < N_OF(subjects); i++) {
                size_t n = strlen(subjects[i].words);
                int w;

                if (strncmp(subject, subjects[i].words, n) != 0 ||
                    !(ends_there(subject + n) ||
                        (subjects[i].weight >= MARKS_MACHINE && subject[n] == ' ')))
                        continue;
                w = has_colon(subject + n) ? subjects[i].weight_colon
                                           : subjects[i].weight;
                if (w <= *weight)
                        continue;
                *weight = w;
                best = &subjects[i];
        }
        return best;
}

/* ---- phrases: found by how they begin, so that the text is walked once ---- */

#define BUCKETS 1024u
#define HEAD 4u /* bytes of the beginning; each phrase has more */

static unsigned short buckets[BUCKETS]; /* of its first phrase, from 1; 0 none */
static unsigned short next_in[N_OF(phrases) + 1];
static bool buckets_filled;

static unsigned
bucket_of(const char *s)
{
        uint32_t head;

        memcpy(&head, s, HEAD);
        return (head * 2654435761u) >> 22;
}

static void
buckets_fill(void)
{
        _Static_assert(BUCKETS == 1u << (32 - 22), "bucket_of gives so many");
        for (size_t i = N_OF(phrases); i > 0 && !buckets_filled; i--) {
                unsigned b = bucket_of(phrases[i - 1].words);

                next_in[i] = buckets[b];
                buckets[b] = (unsigned short)i;
        }
        buckets_filled = true;
}

/* May a phrase begin at s[i]? Behind a letter only where words are not set apart. */
static bool
begins_word(const char *s, size_t i)
{
        unsigned char c = (unsigned char)s[i],
                      before = i > 0 ? (unsigned char)s[i - 1] : 0;

        if (c >= 0xe3)
                return true;
        return (c >= 0xc0 || (c >= 'a' && c <= 'z')) &&
               !(before >= 0x80 || (before >= 'a' && before <= 'z'));
}

const struct marked_words *
words_of_text(const char *text, size_t n, size_t *from)
{
        buckets_fill();
        for (; *from + HEAD <= n; (*from)++) {
                if (!begins_word(text, *from))
                        continue;
                for (unsigned i = buckets[bucket_of(text + *from)]; i != 0;
                     i = next_in[i]) {
                        size_t len = strlen(phrases[i - 1].words);

                        if (len <= n - *from &&
                            memcmp(text + *from, phrases[i - 1].words, len) == 0) {
                                *from += len;
                                return &phrases[i - 1];
                        }
                }
        }
        return NULL;
}
