"""Questions that a team's documents may not answer: each row is one question in the words of several people."""

SAME = (
    ("退職金は何年目から出ますか？", "退職金って勤続何年でもらえるの", "退職金がもらえる勤続年数を教えてください"),
    ("社員食堂は何時まで開いていますか", "食堂の営業時間を教えて", "社食は何時に閉まる？"),
    ("副業はしてもいいですか？", "副業は認められていますか", "会社に副業の許可は必要ですか"),
    ("駐車場は使えますか", "車で通勤したいのですが駐車場はありますか？", "会社の駐車場を借りたい"),
    ("リモートワークは週何日までですか", "在宅勤務は週に何回できますか？", "テレワークできる日数の上限は"),
    ("名刺の追加はどこに頼めばいいですか", "名刺がなくなったので注文したい", "名刺の発注方法を教えてください"),
    ("健康診断はいつありますか？", "今年の健康診断の日程は", "健診は何月に受けるのでしょうか"),
    ("VPNにつながらないのですが", "VPN接続ができません", "社外からVPNが繋がらない時はどうする？"),
    ("結婚したらお祝い金は出ますか", "結婚祝金はいくらですか？", "結婚のお祝いは会社からもらえる？"),
    ("会議室の予約をキャンセルしたい", "予約した会議室を取り消す方法は？", "会議室の予約の取り消し方"),
    ("育休は男性も取れますか？", "父親も育児休業を取得できますか", "男性社員の育休について"),
    ("出張の日当はいくらですか", "出張手当の金額を教えて", "出張に行くと日当は何円出ますか？"),
    ("Is there a gym for employees?", "Do we have a company gym?", "Can I use the office gym"),
    ("When is the bonus paid?", "In which month do we get the bonus?", "bonus payment date"),
    ("Can I bring my dog to the office?", "Are pets allowed at work?", "Is it okay to bring a dog to work?"),
    ("How do I reset my badge?", "My access badge stopped working, what do I do", "Badge does not open the door"),
)
"""Near one another in subject too (leave, money, rooms), as the questions of one team are."""
