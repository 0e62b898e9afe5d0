"""Patterns for actions of the company: who acts, and what is done, by language."""

import re

# Who acts for the company, in English.
WHO = (
    r"(?:we|i|our (?:\w+ )?(?:team|staff|engineers?|developers?|support|experts?)|a colleague"
    r"|(?:a|one of our) (?:\w+ )?(?:members?|specialists?|managers?|persons?|engineers?|agents?)"
    r"(?: (?:of|from) our team)?|someone|somebody|my (?:team|manager|colleagues?))"
)
# A person of the company as the subject, with a verb of doing: "we will", "ich habe", "nous avons".
FIRST = re.compile(
    rf"\b{WHO}\b"
    r"|\b(?:wir|ich|kolleg\w*|mitarbeiter\w*|unser team)\b"
    r"|(?<![-'])\bnous (?:vous |l'|le |la |les |y |en |lui |avons |allons )*\w+(?:ons\b|e\b"
    r"|i\b|s\b)"
    r"|\b(?:je (?:vous |l'|le |la |les )*\w+|j'ai|j'\w+|un collegue|notre (?:equipe|service))\b"
    r"|\b(?:hemos|vamos a|voy a|le he|te he|\w{3,}[aei]remos|(?:llam|envi|cancel|escal|elimin|borr"
    r"|contact)are|nuestro equipo|un companero)\b"
    r"|\b(?:abbiamo|ho|stiamo|sto|\w{3,}[ei]remo|(?:chiam|invi|cancell|contatt)ero|un collega"
    r"|il nostro team)\b"
    r"|\b(?:iremos|irei|vamos|vou|temos|\w{3,}[aei]remos|\w{3,}(?:amos|imos)|\w{3,}(?:arei|erei|uei"
    r"|nhei|iei|lei)|nossa equipe|um colega)\b"
    r"|\b(?:wij|ik|een collega|ons team)\b"
)
# It is said to be over: past or perfect, or the passive of it.
DONE = re.compile(
    r"\b(?:has|have|had|was|were)\b|'ve\b"
    r"|\b(?:habe|haben|hat|wurde|wurden|worden|ist|sind)\b"
    r"|\b(?:a ete|ont ete|est|sont|avons|j'ai|vient d'etre)\b"
    r"|\b(?:ha sido|han sido|fue|fueron|hemos|le he|te he|se ha|esta|estan|queda)\b"
    r"|\b(?:e stat[oaie]|sono stat[ie]|abbiamo|ho)\b"
    r"|\b(?:foi|foram|esta|estao|\w{3,}[ai]mos|\w{3,}(?:uei|nhei|iei|lei))\b"
    r"|\b(?:is|zijn|werd|werden|heb|hebben)\b"
)
# Verbs of effects on a customer's account, and of contact; stems, since every tense counts.
ACT = re.compile(
    r"\b\w*(?:kundig(?:en|t)|losch(?:en|t)|schalt(?:en|et)|upgrad(?:en|et)|genehmigt?|willigt"
    r"|eskalier\w*|leite(?:n|t)|gesetzt|aktivier(?:en|t)|hoben|umgestellt)\b"
    r"|\b(?:entsperr\w+|weiterleit\w*|weitergegeben|ubergeben|ruf\w* (?:sie|dich|ihnen)"
    r"|(?:zuruck|an)ruf(?:en)?|angerufen|kontaktier\w+|meld\w+ (?:uns|mich|sich)"
    r"|in verbindung (?:setzen|treten)|(?:zu|ver)?(?:ge)?(?:schick|send|sand)(?:en|t)"
    r"|verlanger(?:n|t)|beheb\w*|behoben|erledigt|veranlass\w*|kummer\w*)\b"
    r"|\b(?:annul\w+|supprim\w+|resili\w+|mis a (?:niveau|jour)|surclass\w+|approuv\w+|accord\w+"
    r"|escalad\w+|transmi\w+|transmett\w+|transfer\w+|appel(?:l?er\w*|ons|le)|rappel\w+"
    r"|contact(?:er\w*|ons)|envoy\w+|enverr\w+|prolong\w+|debloqu\w+|activ(?:e|ee|er|ons)"
    r"|reinitialis(?:e|ee|er|ons)|corrige\w*|regl(?:e|ee|er|ons)|resol\w+)\b"
    r"|\b(?:cancel(?:ar|ad|are)\w*|elimin(?:ar|ad|at)\w*|borr[ao]\w+|actualiz[ao]\w+"
    r"|aprob\w+|escal[ao]\w+|transfer\w+|deriv\w+|llam[ao]\w+|contact[ao]\w+|envia\w+|ampli\w+"
    r"|desbloque\w+|activ(?:ar|ad)\w+|restablec\w+|resolv\w+|resuelt\w+|correg\w+)\b"
    r"|\b(?:annull\w+|cancell[ae]\w*|approv\w+|aggiorn\w+|inoltr\w+|trasme\w+|chiam\w+|contatt\w+"
    r"|invi\w+|prolung\w+|sblocc\w+|attiv\w+|reimpost\w+|risol\w+|corre(?:tto|gg)\w*)\b"
    r"|\b(?:cancel(?:ad|am|ar|ei)\w*|exclu\w+|apag\w+|aprov\w+|atualiz\w+|encaminh\w+"
    r"|lig(?:ar|ue)\w*|telefon\w+|contat\w+|envi\w+|prorrog\w+|desbloque\w+|ativ\w+|redefini\w+"
    r"|corrig\w+)\b"
    r"|\b(?:(?:ge)?annuleer\w*|geannuleerd|opgezegd|opzeggen|verwijder\w*|geupgraded|goedgekeurd"
    r"|escaleren|geescaleerd|door(?:ge)?stu\w+|(?:terug)?bel(?:len)?|contact op|gestuurd|sturen"
    r"|verleng\w*|ontgrendel\w*|geactiveerd|activeren|hersteld|herstellen|opgelost|oplossen)\b"
)
# Japanese says in its verb's ending that the company acts; instructions end otherwise.
JAPANESE = re.compile(
    r"(?:削除|解約|キャンセル|承認|アップグレード|ダウングレード|エスカレ|引き継|引継|転送|電話|連絡|手配|送付|送り"
    r"|送信|延長|解除|再設定|変更|対応|復旧|修正|確約|処理|停止|適用|更新)[^。\n]{0,10}"
    r"(?:いたし|致し|しました|されました|済み|させていただ|差し上げ|完了し)"
)
HAND_OVER = re.compile(
    r"forward|pass(?:ed|ing)? |hand(?:ed|ing|s)?\b|escalat|colleague|member of our team"
    r"|from our team"
    r"|weitergeleit|weitergegeben|ubergeben|eskalier|kolleg|transmi|transfer|collegue|derivad|escalad"
    r"|companer|inoltrat|collega|encaminhad|colega|doorgestuurd|引き継|担当者"
)
CONDITION = re.compile(
    r"\b(?:if|when|whenever|once|after|unless|whether|until|as soon as|wenn|falls|sobald|nachdem"
    r"|bevor|ob|si|lorsque|quand|apres|une fois|cuando|despues|una vez|se|quando|dopo|una volta"
    r"|depois|uma vez|als|zodra|nadat)\b[^,.;:!?。\n]*"
)
