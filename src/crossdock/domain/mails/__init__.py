"""What mails say, as data: a kind with its texts, and the facts of one mail. Which language it is written in is decided
where it is written (`usecases/record/letters.py`).
"""
