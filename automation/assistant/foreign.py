"""Words that are foreign to GridBot: how much of a sentence is about something else."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from automation.assistant.normalise import stem

# Words of no topic, which people put around what they want.
_GENERIC = """
a able about above actual actually after again ago all allright almost along alright also always am among an and another any anybody anyhow anymore
anyone anything anyway are around as aside ask at attempt available away back bad badly based basically be beautiful because been before behind
being below besides best better between big bit blew blow blown both bother bottom brand brief briefly bring broad bulk bump bunch but by call came can cannot
care carefully case certain certainly chance clear clearly close come comes coming common complete completely concerning consider could couple course
current curious currently damn day days dear deal decent deep definitely desired detail details did different difficult direct directly do does doing done dont down during each early
earlier earth easily easy either else end enough entire especially etc even ever every everybody everyone everything exact exactly extra fact fair fairly
far fast favor few figure final finally fine fire first fix following for forth found four fresh from front full fully further gave general generally get gets
getting give given giving go goes going gone good got gotten great group guess guy had half hand handy happen happened happening happens happy hard has have having he
hear heck hell help her here hers hey hi high him his hit hold hope how however huge i idea if ill im immediately important in indeed instead interested
into is isnt issue issues it item its itself job just keep kept kick kind kinda kindly knock know known last late lately later latest lay least leave left less let lets
level like likely line little live local locally location long longer look looked looking looks lost lot lots love low made main mainly make makes making man manage many match
matter may maybe me mean means meant meet mention might mind mine minute missing mode moment month more morning most mostly move much must my myself name near
necessary need needed needs never new next nice no nobody none nope nor normal normally not note nothing notice now number obvious of off offer often oh ok okay old on once
one ones only onto open or order ordinary other others otherwise our ours out over own pack part particular particularly past people per perfect perform perhaps period
person perspective pick piece place plain plan please plenty plus point pop possible possibly prepare present pretty previous previously prior probably problem
problems produce proper properly provide provided purpose put question quick quickly quiet quite ran range rather reach reachable read ready real really reason receive recent recently
regarding regular related relative remain remember responsible rest result results return revert right root round run runs said same saw say says second see seem seems seen self send
sense sent set several shall she ship short should show shown side similar simple simply since single sir sit situation six size slightly small so some somebody
somehow someone something sometimes somewhat soon sorry sort sorted spare special specific spit spot squeeze stand start started state stay step stick still stop straight strange stuff such
suggest suggested supposed sure surely take taken takes taking talk tell ten than thank thanks that thats the their them themselves then there these they thing things think thinking
third this those though thought three through throughout throw thus tight till time times tiny to today together told tonight too took top total totally touch toward track tried
true truly try trying turn twice two type under understand unless until up upon us usage usages use used useful user uses using usual usually various version versus very
via view wait walk want wanted wants was way ways we week well went were what whatever when whenever where whereas whether which while who whole whom whose why will wise wish
with within without wont word work worked working works worth would wouldve write wrong yeah year yes yesterday yet you your yours yourself zero
add added allow alone answer apart apply asap assume attempts avoid aware began begin behave behind belong bigger bits blah boring broken build button capable cause change check choose
compare completed consist contain content continue contribute convert copy correct count cover crazy create daily data day deeper default depend describe despite determine develop
difference disappear discover dive do double drop due easy edge effect effort ensure enter entirely environment equal essentially examine example except exist expect explore express
extent eye face fail fair fall familiar fancy favorite feature feel fill find finish fit focus follow force form forward four free frequent friendly function gather generate glad glance
gonna gotta grab gradually green grow handle hang heavy hello hide highly hold honest hour hundred hurry hurt identify ignore immediate improve include including increase indicate information
initial inside inspect intend interest internal involve kill lack large largely lead learn leave length limit list listen load log longest loose lose main maintain manually maximum measure
messed method middle minimum mistake modify monitor multiple narrow near neat negative nearly nicely nothing obtain obviously occasion occur odd official opinion opposite option ought overall particular
pass perfectly permanently physical play pleased point poor popular portion position positive potential power practical prefer pretend prevent private process progress promise prove prune public pull pure
push quality random rare raw react real realize rely remove repeat replace report represent request require respect respond restore reveal review rid rough roughly rubbish safe sake satisfied save scale scan score
search secret section secure seek select separate serious serve setup seven share shape sharp sheet shift shot sign silly simplify skip sleep slow sluggish smart smooth solid solution solve sound
source spread squash standard standing strong struggle stupid style submit success sudden suddenly suffer suitable sum supply support suspect sweep swap switch system table tackle target task team
technical temporary tend term terrible test tested text thorough thoroughly thousand tidy tired today topic trace trade trigger trouble trust tweak ugly ultimate unable unclear undo unexpected
unfortunately unit unknown unusual update upcoming urgent valid valuable value verbose visible wanna warm wasted watch weird weekly welcome wonder wondering worry worst written wrote red blue dry run cook dig goodness nah ya yep yup please cheers mate buddy pal dude folks
chuck dump toss bin stash slot whip knock fetch haul drag yank shove stick crank spin rev ramp nudge poke prod peek gander squint skim dissect crunch churn hammer grind figure comb sift
""".split()  # noqa: SIM905 - a list of words is read more easily as a text
_GENERIC_SET = frozenset(_GENERIC)
# They look like forms of words of no topic, or of commands.
_ELSEWHERE = frozenset("car cars news house houses fly flies jobs shop movie weather".split())
_STEMS = frozenset(stem(word) for word in _GENERIC) | frozenset(_GENERIC)


class Domain:
    """The words that GridBot's own sentences are made of.

    Parameters
    ----------
    words : iterable of str
        Words of examples and names, in small letters.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._stems = frozenset(stem(word) for word in words)

    def foreign_share(self, sentence: str, is_local: Callable[[str], bool], named: int = 0) -> float:
        """Return the share of a sentence's telling words that are about something else, 0 to 1.

        Parameters
        ----------
        sentence : str
            In normal form.
        is_local : callable
            Whether a word is one of the repository.
        named : int
            Things of GridBot that the sentence names outright.
        """
        own, foreign = named, 0
        for word in sentence.split():
            if word in _ELSEWHERE:
                foreign += 1
            elif stem(word) in self._stems:
                own += word not in _GENERIC_SET
            elif word.isalpha() and len(word) > 1 and word not in _GENERIC_SET and stem(word) not in _STEMS:
                if is_local(word):
                    own += 1
                else:
                    foreign += 1
        return foreign / (own + foreign) if foreign else 0.0

