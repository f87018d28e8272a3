"""Columns that look like names, birth dates, record numbers or contacts: refused unread.

The list holds the words of clinical exports in several languages. A column is judged by its
header alone; its text is never looked at, kept or shown, only counted.
"""

import re
import unicodedata

WORDS = frozenset({
    "name", "names", "initials", "dob", "dobs", "mrn", "ssn", "nhs", "nhsno", "email", "mail",
    "phone", "telephone", "mobile", "fax", "address", "street", "zip", "zipcode", "postcode",
    "birthdate", "birthday", "birthdt", "brthdtc", "brthdt", "birthdtc", "surname", "firstname",
    "lastname", "fullname", "forename", "givenname", "familyname", "patientname", "patname",
    "subjectname", "ptname", "passport", "vorname", "nachname", "geburtsdatum", "geburtstag",
    "gebdat", "patientenname", "anschrift", "adresse", "strasse", "telefon", "plz",
    "versichertennummer", "fallnummer", "initialen", "prenom", "nom", "naissance", "courriel",
    "nir", "nombre", "apellido", "apellidos", "direccion", "telefono", "correo",
    "dni", "nif", "nome", "cognome", "indirizzo", "codicefiscale", "sobrenome", "endereco",
    "telefone", "cpf", "naam", "voornaam", "achternaam", "geboortedatum", "adres", "bsn",
    "personnummer", "fodelsedatum", "fornamn", "efternamn", "cpr", "fodselsdato", "fodselsnummer",
    "imie", "nazwisko", "pesel", "имя", "фамилия",
    "отчество", "телефон", "адрес", "氏名", "名前",
    "患者名", "生年月日", "電話", "電話番号", "住所",
    "カルテ番号", "イニシャル", "姓名", "出生日期", "电话",
    "地址", "病历号", "身份证",
    "身份证号", "住院号", "성명", "이름", "생년월일",
    "전화번호", "주소",
})  # fmt: skip

PHRASES = re.compile(
    r"\b(?:(?:first|last|given|family|full|middle|maiden|patient|subject|participant|pat|pt)[ _]?"
    r"name|date[ _]of[ _]birth|birth[ _]?date|dob|medical[ _]record|record[ _]number|"
    r"(?:hospital|nhs|insurance|passport|social[ _]security)[ _]?(?:number|no|nr|id)|"
    r"(?:phone|telephone|mobile phone|fax)(?:[ _]?(?:number|no|nr))?|e[ -]?mail(?:[ _]address)?|"
    r"(?:home|street|postal|mailing)[ _]address|(?:zip|postal|post)[ _]?code|"
    r"(?:patient|subject)[ _]?initials|date[ _]de[ _]naissance|"
    r"numero[ _]de[ _](?:dossier|telephone)|"
    r"code[ _]postal|fecha[ _]de[ _]nacimiento|historia[ _]clinica|data[ _]di[ _]nascita|"
    r"codice[ _]fiscale|data[ _]de[ _]nascimento|дата[ _]рождения)\b"
)  # fmt: skip


BIRTH = re.compile(
    r"(?:date|dat|dt|jour)(?:of|de|da)?(?:birth|naissance)|birth(?:date|day|dt)|brthd|"
    r"(?:fecha|fec|data|dt|data)(?:de|di|do)?(?:nacimiento|nac|nascita|nascimento|nasc)(?:$|[^a-z])|"
    r"geb(?:urts?)?(?:dat(?:um)?|tag)|geb(?:oorte)?(?:datum|dat)|f(?:o|ø|oe)dsels?(?:dato|datum)|"
    r"^(?:ne|nee|nee?e)le$|^gebam$|^fe?nac$|(?:^|datum|tag)(?:der)?geburt$|"
    r"dataurodzenia|syntymaaika"
)
"""Birth dates in a header without spaces and points: Geb.-Datum, Date de naissance (JJ/MM)."""


def is_identifying(header: str) -> bool:
    """Whether the lowest header cell names something that identifies a person."""
    text = unicodedata.normalize("NFKD", header.casefold()).replace("ß", "ss")
    plain = "".join(letter for letter in text if not unicodedata.combining(letter))
    plain = unicodedata.normalize("NFKC", plain)
    spaced = " ".join(re.findall(r"[^\W_]+", plain))
    joined = spaced.replace(" ", "")
    if joined in _WORDS or all(word in _WORDS for word in spaced.split() or [""]):
        return True
    return bool(BIRTH.search(joined)) or bool(PHRASES.search(spaced))


_WORDS = frozenset(
    unicodedata.normalize(
        "NFKC",
        "".join(
            letter
            for letter in unicodedata.normalize("NFKD", word.casefold())
            if not unicodedata.combining(letter)
        ),
    )
    for word in WORDS
)
