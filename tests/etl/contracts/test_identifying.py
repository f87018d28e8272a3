"""Headers that identify persons, as clinical exports of several languages write them."""

import pytest

from etl.contracts.identifying import is_identifying

PERSONS = """
Geb.datum; Geb.-Datum; Geburtsdatum; Geburts-Tag; GEBDAT; Geb. am; Datum Geburt; Geboortedatum
date de naissance; Date de naissance (JJ/MM/AAAA); Dt. naissance; Né(e) le; Nom/Prénom
fecha de nacimiento; Fecha_Nacimiento; Fec. nac.; F. Nac.; data di nascita; Data nascita
data de nascimento; Dt. nasc.; Födelsedatum; fødselsdato; Data urodzenia
Date of birth; D.O.B.; BIRTH-DT; BRTHDTC; Birth Date (dd/mm/yyyy); dt.birthday
Name; Pat.-Name; Patienten-Name; Name, Vorname; E-Mail; E-mail address; SSN; MRN
"""
MEASURES = """
Date; Datum; data; Lab data; Update; Dose date; date native; AGE; Birth weight; Geburtsgewicht
Gebiet; Nacionalidad; Tumor name; Visit name; Test name; Drug name; Product name; Data cut
Naive T cells; Domain; Nominal day; fnack; Female; Nombre de células
"""


def headers(text: str) -> list[str]:
    return [one.strip() for line in text.strip().splitlines() for one in line.split(";")]


@pytest.mark.parametrize("header", headers(PERSONS))
def test_headers_of_persons(header: str) -> None:
    assert is_identifying(header)


@pytest.mark.parametrize("header", headers(MEASURES))
def test_headers_of_measurements(header: str) -> None:
    assert not is_identifying(header)
