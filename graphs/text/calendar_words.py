"""Days, months and spans of time in words, folded, in the reply's languages; by one number each."""

import re

from graphs.text.number_words import COUNTS

_WEEKDAYS = (
    "monday montag lundi lunes lunedi segunda-feira maandag 月曜",
    "tuesday tues dienstag mardi martes martedi terca-feira dinsdag 火曜",
    "wednesday mittwoch mercredi miercoles mercoledi quarta-feira woensdag 水曜",
    "thursday thurs donnerstag jeudi jueves giovedi quinta-feira donderdag 木曜",
    "friday freitag vendredi viernes venerdi sexta-feira vrijdag 金曜",
    "saturday samstag sonnabend samedi sabado sabato zaterdag 土曜",
    "sunday sonntag dimanche domingo domenica zondag 日曜",
)
_MONTHS = (
    "january jan januar janvier enero gennaio janeiro januari",
    "february feb februar fevrier febrero febbraio fevereiro februari",
    "march marz mars marzo marco maart",
    "april apr avril abril aprile",
    "may mai mayo maggio maio mei",
    "june jun juni juin junio giugno junho",
    "july jul juli juillet julio luglio julho",
    "august aug aout agosto augustus",
    "september sep sept septembre septiembre settembre setembro",
    "october oct oktober octobre octubre ottobre outubro",
    "november nov novembre noviembre novembro",
    "december dec dezember decembre diciembre dicembre dezembro",
)
_UNITS = {
    "minute": "minute minutes minuten min mins minuto minutos minuti minuut 分 分間",
    "hour": "hour hours hrs stunde stunden heure heures hora horas ora ore uur uren 時間",
    "day": "day days tag tage tagen tages jour jours dia dias giorno giorni dag dagen "
    "日 日間 営業日"
    " werktag werktage werktagen werkdag werkdagen arbeitstage arbeitstagen",
    "week": "week weeks woche wochen semaine semaines semana semanas settimana "
    "settimane weken 週間",
    "month": "month months monat monate monaten mois mes meses mese mesi maand maanden "
    "か月 ヶ月 月間",
    "year": "year years jahr jahre jahren an ans annee annees ano anos anno anni jaar jaren 年間",
}
_NEAR = {
    "tomorrow": "tomorrow|\\bmorgen\\b(?! fruh)|demain|\\bmanana\\b|domani|amanha|明日",
    "today": "\\b(?:by|before|later|still|end of) today|tonight|this (?:afternoon|evening|morning)"
    "|noch heute|heute noch|aujourd'hui|\\bhoy mismo|oggi stesso|\\bainda hoje|nog vandaag"
    "|本日中|今日中",
    "next": "next (?:week|month|year|billing|business day)|nachste[nrs]? (?:woche|monat"
    "|jahr|werktag)"
    "|(?:semaine|mois) prochaine?|proxim[ao] (?:semana|mes)|(?:semana|mes) (?:que vem|proxim[ao])"
    "|prossim[ao] (?:settimana|mese)|(?:settimana|mese) prossim[ao]|volgende (?:week|maand)"
    "|来週|来月",
    "end": "end of (?:the |this )?(?:day|week|month|year|business)|\\beod\\b|\\bcob\\b"
    "|ende der woche|bis monatsende|bis wochenende|fin de (?:la )?(?:semaine|journee|semana)"
    "|fim do dia|fine (?:della )?settimana|einde van de (?:dag|week)|週末まで|今週中|月末",
    "one": "(?:in|within) an? (?:minute|hour|day|week|month)|(?:in"
    "|innerhalb) eine[rs]? (?:minute|stunde"
    "|tages|woche|monats)|dans une? (?:heure|jour|semaine|mois)|en una? (?:hora|dia|semana|mes)"
    "|(?:in|entro) un[ao]? ?'?(?:ora|giorno|settimana|mese)|em uma? (?:hora|dia|semana|mes)"
    "|(?:in|binnen) een (?:uur|dag|week|maand)",
    "days": "(?:in|within) (?:a|the) (?:few|couple of|coming|next) (?:minutes|hours|days|weeks)"
    "|(?:coming|next) few (?:days|hours|weeks)|in den (?:nachsten|kommenden) (?:tagen|stunden)"
    "|in wenigen (?:tagen|stunden|minuten)|(?:dans|sous) (?:les|quelques) (?:prochains )?jours"
    "|en (?:unos|los proximos) dias|nei prossimi giorni|nos proximos dias"
    "|(?:de )?komende (?:dagen|week)|binnen enkele|数日以内|今後数日",
}
WEEKDAY = {name: str(n) for n, names in enumerate(_WEEKDAYS, 1) for name in names.split()}
MONTH = {name: n for n, names in enumerate(_MONTHS, 1) for name in names.split()}
UNIT = {name: unit for unit, names in _UNITS.items() for name in names.split()}
NEAR = {name: re.compile(pattern) for name, pattern in _NEAR.items()}


def any_of(words: dict[str, str] | dict[str, int]) -> str:
    """A pattern for the longest of these words; those of Latin letters stand by themselves."""
    ordered = sorted(words, key=len, reverse=True)
    latin = "|".join(re.escape(word) for word in ordered if word.isascii())
    other = "|".join(re.escape(word) for word in ordered if not word.isascii())
    return rf"(?:\b(?:{latin})\b" + (rf"|(?:{other}))" if other else ")")


COUNT = rf"(?:\d{{1,4}}|{any_of(COUNTS)})"
