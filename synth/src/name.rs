//! What people are called (姓名): common surnames and given names, and now and then one that breaks weak software.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use vocab::Sex;

/// The common ones stand several times.
const SURNAMES: &[&str] = &[
    "王", "王", "王", "王", "李", "李", "李", "李", "张", "张", "张", "张", "刘", "刘", "刘", "陈",
    "陈", "陈", "陈", "杨", "杨", "黄", "黄", "黄", "赵", "吴", "吴", "周", "徐", "孙", "马", "朱",
    "胡", "郭", "何", "林", "林", "高", "罗", "郑", "梁", "梁", "谢", "宋", "唐", "许", "邓", "冯",
    "韩", "曹", "曾", "彭", "萧", "蔡", "潘", "田", "董", "袁", "于", "余", "叶", "蒋", "杜", "苏",
    "魏", "程", "吕", "丁", "沈", "任", "姚", "卢", "傅", "钟", "姜", "崔", "谭", "廖", "范", "汪",
    "陆", "金", "石", "戴", "贾", "韦", "夏", "邱", "方", "侯", "邹", "熊", "孟", "秦", "白", "江",
    "阎", "薛", "尹", "段", "雷", "黎", "史", "龙", "陶", "贺", "顾", "毛", "郝", "龚", "邵", "万",
    "覃", "武", "钱", "戚", "莫", "孔", "文", "单", "解", "仇", "查", "区", "盖", "缪", "冼", "翟",
    "欧阳", "司徒",
];

const MEN: &[&str] = &[
    "伟", "强", "磊", "军", "勇", "杰", "涛", "明", "超", "华", "建国", "建军", "志强", "志明",
    "国华", "文斌", "俊杰", "浩然", "子轩", "宇航", "家豪", "海波", "永刚", "德福", "金水", "水生",
    "土生", "启明", "振东", "少华", "伟民", "思远", "嘉铭", "梓豪", "锦荣", "耀华", "观胜", "桂全",
    "运来", "满堂", "小龙", "大勇", "春生", "立新", "卫东",
];

const WOMEN: &[&str] = &[
    "芳", "娜", "敏", "静", "丽", "艳", "娟", "霞", "秀英", "桂英", "玉兰", "秀兰", "淑珍", "凤英",
    "桂兰", "玉梅", "丽华", "小红", "晓燕", "海燕", "雪梅", "春梅", "美玲", "惠珍", "少芬", "金凤",
    "带娣", "月娥", "诗涵", "梓涵", "欣怡", "雨桐", "思琪", "可馨", "婉婷", "嘉欣", "小芳", "冬梅",
    "爱华", "素珍", "云仙", "彩霞", "丽娟", "转好",
];

/// Names that have broken systems: characters beyond the first plane, with no reading in old tables, or with a dot.
const RARE: &[(&str, &str)] = &[
    ("䶮", "小"),
    ("㼆", "明"),
    ("陈", "𬱖"),
    ("刘", "䶮"),
    ("林", "𠅤"),
    ("王", "𡘙"),
    ("阿依古丽·", "买买提"),
    ("扎西·", "顿珠"),
    ("迪丽热巴·", "艾合买提"),
    ("黄", "㛃"),
    ("李", "𫖯"),
    ("邱", "𬭳"),
];

pub(crate) fn surname(rng: &mut ChaCha8Rng) -> &'static str {
    SURNAMES[rng.random_range(0..SURNAMES.len())]
}

pub(crate) fn full(rng: &mut ChaCha8Rng, surname: &str, sex: Sex) -> String {
    if rng.random_range(0..1_000) < 4 {
        let (first, second) = RARE[rng.random_range(0..RARE.len())];
        return format!("{first}{second}");
    }
    let given = if sex == Sex::Male { MEN } else { WOMEN };
    let first = given[rng.random_range(0..given.len())];
    // A second look into the list makes two-character names of one-character ones.
    if first.chars().count() == 1 && rng.random_range(0..100) < 45 {
        let second = given[rng.random_range(0..10)];
        if second != first {
            return format!("{surname}{first}{second}");
        }
    }
    format!("{surname}{first}")
}
