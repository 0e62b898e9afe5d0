"""Function words by language: too common to say what a text is about, typical of its language.

Written by hand for tickets and replies, from no corpus. The lists of `stop-words` and
`stopwordsiso` were tried and do not fit: their English has over 1,200 words, among them "open",
"help" and "page".
"""

_BY_LANGUAGE = {
    "en": "a about after all also am an and any are as at be because been but by can cannot could "
    "did do does doing don for from get got had has have having he hello help her hey hi his how i "
    "if in into is isn it its just know let like ll me more much my need no not now of off on one "
    "or our out over please re she so some tell than thank thanks that the their them then there "
    "these they this those to too up us ve very want was we were what when where which while who "
    "why will with would you your yours",
    "de": "aber alle als also am an auch auf aus bei bin bis bitte da damit dann das dass dem den "
    "der des die dies diese diesem diesen dieser dieses doch du durch ein eine einem einen einer "
    "eines er es für gibt guten habe haben hallo hat hier ich ihm ihn ihnen ihr ihre ihrem ihren "
    "im in ist ja kann kein keine können mein meine meinem meinen mich mir mit nach nicht noch nur "
    "oder ohne schon sein sich sie sind so tag über um und uns unser unsere vom von vor war warum "
    "was wenn werden wie wieder wir wird wo wurde wurden zu zum zur",
    "fr": "à ai alors as au aux avec avez avons bonjour c ça car ce ces cet cette comme comment d "
    "dans de des donc du elle en encore est et été être eu fait il ils j je l la le les leur lors "
    "ma mais me merci mes moi mon n ne nos notre nous on ont ou où par pas plus pour pourquoi "
    "pouvez puis qu quand que quel quelle qui s sa sans se ses si son sont sur ta te tout très un "
    "une vos votre vous y",
    "es": "a al algo antes aquí así aún bien buenos como cómo con cuál cuando cuándo de del desde "
    "días donde dónde dos el ella ellos en entre es esa ese eso esta está están estar este esto "
    "estos fue gracias ha han hasta hay he hemos hola la las le les lo los más me mi mis muy nada "
    "ni no nos nuestra nuestro o para pero por porque puede puedo que qué quien se ser si sí sin "
    "sobre son su sus también tiene tu un una uno usted y ya yo",
    "it": "a abbiamo ai al alla alle anche avete c che chi ci ciao come con cosa cui da dai dal "
    "dalla dei del della delle di dove e è ed era essere fa gli grazie ha hai hanno ho i il in io "
    "l la le lei lo loro ma mi mia mio nei nel nella non nostra nostro o per perché più può puoi "
    "quando quello questa questo se sei si sia sono sta su sua sul sulla suo tra tutto un una uno "
    "vi vostra vostro",
    "pt": "a ao aos as até bom como com da das de dela dele depois do dos e é ela ele em entre era "
    "essa esse está estão este eu foi foram há isso isto já la lhe mais mas me meu meus minha "
    "muito na não nas nem no nos nós nossa nosso num numa o obrigado olá onde os ou para pela pelo "
    "por porque posso pode qual quando que quem se sem ser seu seus só sua suas também te tem têm "
    "temos um uma você vocês",
    "nl": "aan al alle als bent bij dag dan dat de deze die dit doen door dus een en er geen goede "
    "had heb hebben hebt heeft het hier hij hoe hun ik in is ja je jij jou jouw jullie kan kunnen "
    "kunt maar me meer met mij mijn moet na naar niet nog nu of om omdat onder ons onze ook op "
    "over te tot u uit uw van veel via voor waar wanneer waarom was wat we wel werd wij wil worden "
    "wordt ze zich zij zijn zo zonder zou",
    "da": "af alle at blev da de dem den der deres det dig din dit du efter eller en er et for fra "
    "han har hej hun hvad hvis hvor hvordan i ikke ind jeg jer jeres kan kunne man med meget men "
    "mig min mit mod når nej nogen nu og også om op os på se sig sin skal som til tak ud under var "
    "ved vi vil vores være",
    "sv": "alla att av blev den denna dess det dig din ditt du där efter ej eller en er ett från "
    "för ha han har hej hon hur här i inte jag kan kunde man med men mig min mitt mot måste när "
    "någon nu och också om oss på sin sig ska skulle som tack till under upp ut vad var vara vi "
    "vill vår är över",
    "no": "alle at av ble da de deg dem den der dere deres det din du eller en er et etter for fra "
    "ha han har hei hun hva hvis hvor hvordan i ikke jeg kan kunne man med meg men min mitt mot må "
    "når noen nå og også om opp oss på seg sin skal som takk til under ut var ved vi vil være vår",
    "fi": "ei en että ja jos joka kanssa kiitos koska kuin kun me mikä minä minun miten mutta myös "
    "ne niin nyt olen oli olla on ovat se sen sitä tai tämä te teidän tämän voi voin voit voitte",
    "hu": "a az azt be csak de egy el én és ez ezt fel ha hogy hogyan igen is kell köszönöm le "
    "lehet már meg mert mi még mint nagyon nem ön önnek van vagy volt",
    "ro": "a acest această al am ar are au bună că care ce cu cum de din după este eu fi fost în "
    "la mai mea meu mi nu o pe pentru prin puteți sa să sau se si și sunt un unui vă",
    "tr": "ama bana bir biz bu çok da daha de değil en gibi için ile ise ben benim ki kadar lütfen "
    "mı mi mu nasıl ne neden o olarak sonra şu siz sizin teşekkürler var ve veya ya yok",
    "pl": "aby ale bardzo być czy co dla do go i ich jak jest jestem jeśli już każdy ma mam mi "
    "mnie może mój moje na nie o od oraz po pod przez proszę są się ta tak te tego ten to w "
    "we z za że",
    "cs": "a aby ale ani bych byl co děkuji do i já jak je jsem jsme jsou k kde když které má mi "
    "mám můj může na ne nebo od po pro prosím s se si tak to ve vás v z za že",
    "ru": "а без бы был было в вам вас во вот все вы где да для до его если есть еще же за "
    "здравствуйте и из или их к как когда ли меня мне мой моя мы на нас не но о он от по "
    "почему при с свой со "
    "спасибо так то только у уже что чтобы это я",
    "el": "αν από αυτό για δεν είναι ένα έχω η θα και με μου να ο οι πώς σας σε στη στην στο τα "
    "τη την της το τον του των που τι ευχαριστώ",
}  # fmt: skip
FUNCTION_WORDS = {code: frozenset(words.split()) for code, words in _BY_LANGUAGE.items()}
