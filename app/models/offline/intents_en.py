"""What English tickets say about their intent: patterns and how much each weighs.

A weight of 3 settles the matter alone, 2 makes it likely, 1 or less only adds to others.
"""

from graphs.state import Intent

Weights = tuple[tuple[str, float], ...]

# A ticket that only greets or thanks; no topic of its own beside others.
GREETING = (
    r"\A\W*(?:hi|hello|hey|good ?(?:morning|day|evening|bye)|(?:many )?thanks?|thank you|bye"
    r"|see (?:you|ya))\b[^?]{0,30}\Z"
)
# A question about the way to do something: general help as long as nothing says what it is about.
HOW_TO = r"\bhow (?:do|can|would|should) (?:i|we|you)\b|\bhow to\b|\bis it possible\b"
BILLING: Weights = (
    (r"charged? (?:me |us )?(?:twice|double|two times|again)|double[- ]charged?"
     r"|billed twice", 3),
    (r"\brefund(?:ed|s|ing)?\b|money back|\breimburs\w+|\brestitution|\brebates?\b"
     r"|\bcompensation", 3),
    (r"\bfees?\b|\bcharged\b|\bbilled\b|\bovercharged\b|\boverpaid\b|\bextra charges?\b"
     r"|\b(?:exit|cancellation|termination|withdrawal) (?:fees?|penalt\w+|charges?)", 2.5),
    (r"\bexchange rates?\b|\binterest rates?\b|\bapr\b|\bdirect debits?\b|\bstatements?\b"
     r"|\bcompounded\b", 3),
    (r"\b(?:invoices?|bills?)\b", 1.5),
    (r"\b(?:invoices?|bills?) (?:#|number|from\b|for (?:the|my)\b)"
     r"|\b(?:my|the|pay|electric|water|phone|cable) bills?\b", 1.5),
    (r"\bminimum\b.{0,30}\bpay|\bminimum (?:amount|payment)|\bpay (?:my|the|a|off)\b"
     r"|\bspen[dt]\b|\bspending\b", 2),
    (r"\bpayment (?:methods?|modalit\w+|options?)|\bmethods of payment", 2.5),
    (r"\brewards?\b|\bpoints\b|\bcredit limit\b", 1.5),
    (r"\b(?:cancel\w*|end|stop|terminate) (?:my|our|the|this) (?:\w+ )?(?:subscription"
     r"|plan|membership|renewal)\b(?<!newsletter subscription)", 2.5),
    (r"\bbalance\b.{0,60}\b(?:updat\w+|chang\w+|right|wrong|same)\b"
     r"|(?:n'?t|not) (?:\w+ )?(?:show\w*|reflect\w*|appear\w*|received|arrived|credited)", 1.2),
    (r"\bpending\b|\breverted\b|\bdeposit(?:s|ed)?\b|\bwithdraw\w*|\bwithdrew\b", 1.5),
    (r"\btransactions?\b|\bcharges?\b|\bdisputed?\b|\bduplicate", 1.5),
    (r"\bpayments?\b|\bbought\b|\bchequ?es?\b", 0.8),
    (r"\bsources? of (?:\w+ )?funds?\b|\bfunds come\b|\bdisposable\b.{0,40}\b(?:limit|many)"
     r"|\btop[- ]?ups?\b.{0,30}\blimit|\blimit.{0,30}\btop[- ]?ups?\b", 2.5),
    (r"\bpurchases?\b.{0,40}\b(?:twice|pending|recogni[sz]e|cost|wrong)\b", 1.5),
    (r"(?:did ?n[o']?t|not) (?:make|made|do|recogni[sz]e|authori[sz]e)\b", 1.5),
    (r"\bcash\b|\bmoney\b|\bamounts?\b|\bfunds\b|\bpaid\b|\bdollars?\b|\breceipts?\b"
     r"|\btransfer(?:s|red|ring)?\b", 0.6),
    (r"\bbilling\b|\bsubscription\b|\btop(?:ped|ping)?[- ]?ups?\b|\bexchang\w+", 0.5),
    (r"\bplan\b|\bcard\b|\bprices?\b|\bseats?\b|\bcosts?\b|\brates?\b", 0.4),
)  # fmt: skip
TECHNICAL: Weights = (
    (r"\b[A-Z]{1,4}[-_]?\d{2,6}\b", 2),
    (r"\berrors?\b|\bexception\b|\bcrash\w*|\bbugs?\b|\bfroze\b|\bunresponsive\b", 1.8),
    (r"(?:does|do|did|is|are|has|was|will|would)(?:n'?t| not) (?:\w+ )?work\w*"
     r"|wo(?:n'?t) work|(?:isn'?t|not|stopped|quit) working|\bbroken?\b"
     r"|\bnot (?:loading|syncing|responding)", 2.5),
    (r"\bfail(?:s|ed|ing|ure)?\b|\bstuck\b|\bslow\b|\bdeclin\w+|\brejected\b", 1.8),
    (r"\bdeclined?\b", 1),
    (r"(?:can'?t|cannot|could ?n[o']t|unable to|not (?:let|letting|able)|wo(?:n'?t) "
     r"let)\b.{0,30}\b(?:withdraw\w*|cash|money|atm|transfer\w*|transactions?|pay|top)\b", 2),
    (r"\batm\b.{0,40}\b(?:kept|keep|took|ate|stuck|declin\w+|reject\w+|give\b)", 2),
    (r"\b(?:problems?|issues?|troubles?|unable|cannot|can'?t|couldn'?t|won'?t)\b", 0.5),
    (r"can(?:'?t|not| not) (?:log|sign|upload|open|save|access|sync|connect)", 2),
    (r"\bpin\b(?: (?:code|number))?|\bpass ?(?:word|code)s?\b|\baccess key\b|\bpwd\b", 2.5),
    (r"\b(?:reset|retrieve|recover|restore|unblock|unlock|forg[eo]t\w*)\b", 1),
    (r"\bidentity\b|\bsign[- ]?up (?:\w+ )?(?:problem|issue|error)\w*"
     r"|\bregist(?:ration|er\w*)\b"
     r"|\b(?:problems?|issues?|errors?|troubles?) (?:with|when|in) (?:the )?(?:sign"
     r"|regist)\w*", 2.5),
    (r"\b(?:free|freemium|gold|platinum|pro|premium|standard|user) (?:user )?(?:account"
     r"|profile)s?\b", 2),
    (r"\bpersonal (?:details|info\w*|data)|\b(?:my|the) (?:profile|user)\b"
     r"|\bcreate (?:an? )?user", 2),
    (r"\bactivat\w+|\bauto(?:matic)?[- ]?(?:top|recharge)|\b(?:apple|google) pay\b"
     r"|\bbeneficiar\w+|\bcontactless\b", 2.5),
    (r"\bblock(?:ed|s)?\b|\blocked\b|\bfreeze\b|\bfrozen\b|\bhold on my\b|\bswallow\w*", 2),
    (r"\bdamaged?\b|\bscratched\b|\bcracked\b|\bbent\b|\btorn\b|\bcut in half|\bmelted", 2),
    (r"\bupload\w*|\bsync\w*|\bapi\b|\bwebhooks?\b|\bbrowser\b|\binstall\w*"
     r"|\b(?:log|sign)[ -]?in\b", 1.4),
    (r"\blink\w*\b.{0,30}\bcards?\b|\bcards?\b.{0,30}\blink\w*"
     r"|\badd (?:a|my|the) (?:new )?card|\bfound my\b.{0,20}\bcard\b"
     r"|\b(?:name|address|details) (?:on|in) my account", 2),
)  # fmt: skip
GENERAL: Weights = (
    # A mailing: its text may speak of anything.
    (r"\b(?:e-?mail|mail|write to|send\b[^.!?\n]{0,200} to) (?:all|every\w*) ", 8),
    (r"\bopening hours?\b|\boffice hours?\b|\bwhat (?:hours|time)s?\b|\bhours\b|\bpolicy\b"
     r"|\bprivacy\b|\bsecurity\b|\bare you open\b", 2),
    (r"\b(?:where|how)\b.{0,25}\b(?:download|find|get)\b.{0,8}\b(?:invoices"
     r"|receipts)(?! (?:from|#))", 4.5),
    (r"\brefund policy\b|\brefund rules\b", 5),
    (r"\b(?:how|where)\b.{0,25}\bcancel\w* (?:my|our|the|a) (?:\w+ )?(?:subscription|plan)", 5),
    (r"\b(?:increas\w+|rais\w+|higher|bigger|chang\w+|up|lower|decreas\w+|bump)\b"
     r".{0,30}\bcredit limit"
     r"|\bcredit limit\b.{0,30}\b(?:increas\w+|rais\w+|chang\w+|higher|lower\w*)", 4),
    (r"\bnewsletter|\bcredit scores?\b|\binsurance\b|\bluggage\b|\brouting number"
     r"|\bcheckbooks?\b", 3),
    (r"\b(?:my|the|an|this|track|cancel\w*|change|edit|place|placing|make|of|from|to) "
     r"order(?:s|ing)?\b(?! (?:to|that)\b)|\border (?:#?\d|status)|\bpurchase \d+"
     r"|\bpackage\b|\beta\b", 2),
    (r"\bdeliver\w*|\bship(?:s|ping|ment|ped)?\b|\baddress\b", 2.5),
    (r"\breviews?\b|\bfeedback\b|\bcomments?\b|\bopinion\b", 2),
    (r"\b(?:products?|articles?|items?|atms?)\b", 1),
    (r"\b(?:workspaces?|boards?|members?|roles?|permissions?|notifications?|calendars?"
     r"|templates?|mobile app|desktop app|offline mode|dark mode|single sign-on|sso"
     r"|two-factor|2fa|integrations?|projects?|dashboards?|files?|folders?|backups?"
     r"|storage|retention|accessib\w+|keyboard)\b", 1.3),
    (r"\b(?:customer|consumer) (?:service|support|assistance|care)\b", 2),
    (r"\bexpir\w+"
     r"|\b(?:virtual|spare|second|additional|physical|new|replacement) (?:\w+ )?cards?\b", 1.5),
    (r"\b(?:card|it|order|delivery)\b.{0,40}\b(?:arriv\w+|come|mail\w*|tak\w+)\b|\btrack\w*", 1.2),
    (r"\bappl(?:y|ied|ication)\b|\bcountr(?:y|ies)\b|\bvisa\b|\bmastercard\b|\bamex\b"
     r"|\bcurrenc(?:y|ies)\b|\bfiat\b", 1.5),
    (r"\b(?:transfer|move|send)\b.{0,30}\bfrom\b.{0,30}\b(?:to|into)\b"
     r"|\b(?:transfer|add|move|put)\w* (?:\w+ )?(?:money|funds) (?:in)?to my\b"
     r"|\bfrom (?:my )?(?:savings|checking)|\bold (?:enough|do)|\bage\b|\bchildren\b"
     r"|\bkids?\b", 1.5),
    (r"\b(?:are you|you are) (?:an? )?(?:ai|bot|robot|real|human|computer|person)\b"
     r"|\bchatbot", 2),
    (GREETING, 2),
    (r"\bappreciate (?:it|your|the)\b", 2),
    (r"\bexport\w*|\bimport\w*|\binvite\w*|\bsettings?\b|\blanguages?\b|\bshortcuts?\b", 1.5),
    (HOW_TO, 0.6),
    (r"\bhow (?:do|can|would|should|to)\b(?: (?:i|we|you))?(?: \w+)? (?:add|archive|assign"
     r"|change|configure|connect|create|customi[sz]e|disable|enable|install|manage|merge"
     r"|move|remove|rename|restore|set|share|switch|turn|update|upgrade|use)\b", 1),
    (r"\b(?:what|where|when|which|who) (?:is|are|do|does|can)\b", 0.4),
    (r"\bdo you (?:have|offer|support|ship)\b|\bsupported\b|\bcontact (?:support|you)\b", 1.4),
)  # fmt: skip
ESCALATE: Weights = (
    (r"\bstole(?:n)?\b|\bfraud\w*|\bcompromised\b|\bhacked\b|\bidentity theft\b|\bthief\b", 3),
    (r"\b(?:lost|missing|misplaced|left|find)\b.{0,20}\b(?:card|phone|wallet|mobile)\b"
     r"|\b(?:card|phone|wallet)\b.{0,20}\b(?:is|was|been|got|went) (?:\w+ )?(?:lost"
     r"|missing|gone)\b", 2.5),
    (r"\b(?:someone|somebody)\b.{0,25}\b(?:us(?:es|ed|ing)|took|has|have|got) my\b"
     r"|\bunauthori[sz]ed (?:use|access)|\b(?:suspicious|shady|fishy)\b", 2.5),
    (r"\b(?:complaint|reclamation)s?\b|\b(?:file|lodge|make|submit)\b.{0,12}\bclaim\b"
     r"|\bclaim against\b", 3),
)  # fmt: skip
ENGLISH: dict[Intent, Weights] = {
    "billing": BILLING, "technical": TECHNICAL, "general": GENERAL, "escalate": ESCALATE,
}  # fmt: skip
