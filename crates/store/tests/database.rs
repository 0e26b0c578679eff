//! The handle and its migrations on both databases.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on stops where it stands"
)]

use sea_orm::{ConnectionTrait, Statement};
use std::path::PathBuf;
use std::sync::Arc;
use store::{Db, Event, Migration, TestClock};

async fn count(db: &Db, sql: &str) -> i64 {
    let row = db
        .conn()
        .query_one_raw(Statement::from_string(
            db.conn().get_database_backend(),
            sql,
        ))
        .await
        .unwrap()
        .unwrap();
    row.try_get("", "n").unwrap()
}

const SAMPLE: Migration = Migration {
    name: "9000 sample",
    sql: "
create table sample (
  id {id} not null primary key,
  day {date} not null,
  at {instant} not null,
  amount {fen} not null,
  name {text} not null,
  more {json} not null,
  open {bool} not null,
  sealed {bytes} not null
);
create table sample_line (
  id {id} not null primary key,
  sample {id} not null references sample (id)
);
{never_changes sample_line};
",
};

mod sample {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sample")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub day: Date,
        pub at: DateTimeUtc,
        pub amount: i64,
        pub name: String,
        pub more: Json,
        pub open: bool,
        pub sealed: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

fn with_sample() -> Vec<Migration> {
    let mut all = store::migrations();
    all.push(SAMPLE);
    all
}

fn a_row(db: &Db, name: &str) -> sample::Model {
    sample::Model {
        id: db.new_id(),
        day: db.today(),
        at: db.now(),
        amount: 9_007_199_254_740_993,
        name: name.to_owned(),
        more: serde_json::json!({ "a": [1, null, "二"] }),
        open: true,
        sealed: db.keys().seal("secret"),
    }
}

async fn insert(db: &Db, row: &sample::Model) {
    use sea_orm::{EntityTrait, IntoActiveModel};
    let tx = db.begin().await.unwrap();
    sample::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(tx.conn())
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

fixtures::db_tests! {
    migrations = with_sample();

    async fn every_type_word_gives_back_what_was_put_in(db: Db) {
        use sea_orm::EntityTrait;
        let row = a_row(&db, "张芳");
        insert(&db, &row).await;
        let back = sample::Entity::find_by_id(row.id).one(db.conn()).await.unwrap().unwrap();
        assert_eq!(back, row);
    }

    async fn migrating_again_changes_nothing(db: Db) {
        db.migrate(&with_sample()).await.unwrap();
        assert_eq!(count(&db, "select count(*) as n from store_migration").await, 2);
        assert_eq!(count(&db, "select count(*) as n from seaql_migrations").await, 2);
    }

    async fn a_changed_migration_is_refused(db: Db) {
        let mut changed = with_sample();
        changed[1].sql = "create table sample (id {id});\n";
        let refusal = db.migrate(&changed).await.unwrap_err().to_string();
        assert!(refusal.contains("9000 sample") && refusal.contains("改动"), "{refusal}");
    }

    async fn a_database_newer_than_the_program_is_refused(db: Db) {
        let refusal = db.migrate(&store::migrations()).await.unwrap_err().to_string();
        assert!(refusal.contains("9000 sample"), "{refusal}");
    }

    async fn a_migration_that_fails_leaves_nothing_of_itself(db: Db) {
        let mut more = with_sample();
        more.push(Migration { name: "9001 broken", sql: "create table half (id {id});\ncreate table half (id {id});\n" });
        assert!(db.migrate(&more).await.is_err());
        more.pop();
        more.push(Migration { name: "9001 whole", sql: "create table half (id {id});\n" });
        db.migrate(&more).await.unwrap();
        assert_eq!(count(&db, "select count(*) as n from half").await, 0);
    }

    async fn another_key_file_is_refused(db: Db, _clock: Arc<TestClock>, folder: PathBuf) {
        let tx = db.begin().await.unwrap();
        tx.conn()
            .execute_unprepared("update store_setting set value = 'ffffffffffffffff' where name = 'keys.fingerprint'")
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let refusal = db.migrate(&with_sample()).await.unwrap_err().to_string();
        assert!(refusal.contains("密钥"), "{refusal}");
        drop(folder);
    }

    async fn reading_connections_cannot_write(db: Db) {
        let attempt = db.conn().execute_unprepared("delete from store_setting").await;
        assert!(attempt.is_err());
        assert_eq!(count(&db, "select count(*) as n from store_setting").await, 1);
    }

    async fn a_dropped_transaction_leaves_nothing(db: Db) {
        let row = a_row(&db, "x");
        {
            use sea_orm::{EntityTrait, IntoActiveModel};
            let mut tx = db.begin().await.unwrap();
            tx.note(Event::by_system("store.test", "sample", "1"));
            sample::Entity::insert(row.into_active_model()).exec_without_returning(tx.conn()).await.unwrap();
        }
        // The next transaction can begin, and finds nothing.
        db.begin().await.unwrap().rollback().await.unwrap();
        assert_eq!(count(&db, "select count(*) as n from sample").await, 0);
        assert_eq!(store::journal::head(&db).await.unwrap(), None);
    }

    async fn foreign_keys_hold(db: Db) {
        use sea_orm::DbBackend;
        let tx = db.begin().await.unwrap();
        let orphan = tx
            .conn()
            .execute_raw(Statement::from_sql_and_values(
                if db.engine() == store::Engine::Sqlite { DbBackend::Sqlite } else { DbBackend::Postgres },
                "insert into sample_line (id, sample) values ($1, $2)",
                [db.new_id().into(), db.new_id().into()],
            ))
            .await;
        assert!(orphan.is_err());
    }

    async fn an_append_only_table_refuses_change_and_removal(db: Db) {
        let row = a_row(&db, "x");
        insert(&db, &row).await;
        let tx = db.begin().await.unwrap();
        tx.conn()
            .execute_raw(Statement::from_sql_and_values(
                tx.conn().get_database_backend(),
                "insert into sample_line (id, sample) values ($1, $2)",
                [db.new_id().into(), row.id.into()],
            ))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        for attempt in ["update sample_line set sample = sample", "delete from sample_line"] {
            let tx = db.begin().await.unwrap();
            let refusal = tx.conn().execute_unprepared(attempt).await.unwrap_err().to_string();
            assert!(refusal.contains("append-only"), "{refusal}");
        }
    }

    async fn typed_text_is_searched_literally_and_without_regard_to_case(db: Db) {
        use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
        for name in ["Zhang_Fang", "ZhangXFang", "100%", "100"] {
            insert(&db, &a_row(&db, name)).await;
        }
        let find = async |typed: &str| {
            let column = sample::Column::Name.as_column_ref();
            let mut names: Vec<String> = sample::Entity::find()
                .filter(store::dialect::contains(db.engine(), column, typed))
                .all(db.conn())
                .await
                .unwrap()
                .into_iter()
                .map(|row| row.name)
                .collect();
            names.sort();
            names
        };
        assert_eq!(find("zhang_f").await, ["Zhang_Fang"]);
        assert_eq!(find("0%").await, ["100%"]);
        assert_eq!(find("FANG").await, ["ZhangXFang", "Zhang_Fang"]);
    }

    async fn text_is_sorted_by_bytes(db: Db) {
        use sea_orm::{EntityTrait, QueryOrder};
        for name in ["a", "B", "~", "9", "张"] {
            insert(&db, &a_row(&db, name)).await;
        }
        let names: Vec<String> = sample::Entity::find()
            .order_by_asc(sample::Column::Name)
            .all(db.conn())
            .await
            .unwrap()
            .into_iter()
            .map(|row| row.name)
            .collect();
        assert_eq!(names, ["9", "B", "a", "~", "张"]);
    }

    async fn a_name_is_held_until_the_transaction_ends(db: Db) {
        let tx = db.begin().await.unwrap();
        store::dialect::lock_name(&tx, "payrun 2026-06").await.unwrap();
        let (other, order) = (db.clone(), Arc::new(std::sync::Mutex::new(Vec::new())));
        let seen = order.clone();
        let waiting = tokio::spawn(async move {
            let tx = other.begin().await.unwrap();
            store::dialect::lock_name(&tx, "payrun 2026-06").await.unwrap();
            seen.lock().unwrap().push("second");
            tx.commit().await.unwrap();
        });
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        order.lock().unwrap().push("first");
        tx.commit().await.unwrap();
        waiting.await.unwrap();
        assert_eq!(*order.lock().unwrap(), ["first", "second"]);
    }

    async fn the_health_check_answers_and_a_closed_database_does_not(db: Db) {
        db.ping().await.unwrap();
        db.close().await.unwrap();
        assert!(db.ping().await.is_err());
    }

    async fn the_day_is_chinas(db: Db, clock: Arc<TestClock>) {
        clock.set("2026-06-01T16:00:00Z".parse().unwrap());
        assert_eq!(db.today().to_string(), "2026-06-02");
        assert_eq!(db.begin().await.unwrap().today().to_string(), "2026-06-02");
    }

    async fn duplicates_are_told_from_other_faults(db: Db) {
        use sea_orm::{EntityTrait, IntoActiveModel};
        let row = a_row(&db, "x");
        insert(&db, &row).await;
        let tx = db.begin().await.unwrap();
        let again = sample::Entity::insert(row.into_active_model()).exec_without_returning(tx.conn()).await.unwrap_err();
        assert!(store::is_duplicate(&again));
        assert!(!store::is_retryable(&again.into()));
    }
}

/// The tables of both engines side by side; on SQLite alone when there is no server.
#[test]
fn both_databases_have_the_same_tables() {
    use std::sync::Mutex;
    static SEEN: Mutex<Vec<Vec<store::schema::Table>>> = Mutex::new(Vec::new());
    async fn look(db: Db) {
        let tables = store::schema::tables(&db).await.unwrap();
        SEEN.lock().unwrap().push(tables);
    }
    fixtures::run_on_sqlite(with_sample(), |bench| look(bench.db));
    fixtures::run_on_postgres(with_sample(), |bench| look(bench.db));
    let seen = SEEN.lock().unwrap();
    assert!(
        seen[0]
            .iter()
            .any(|table| table.name == "store_journal" && table.indexes.len() == 4)
    );
    assert!(
        seen[0].iter().any(|table| table.name == "sample"
            && table.columns.len() == 8
            && table.columns[0].key)
    );
    if let [sqlite, postgres] = &seen[..] {
        assert_eq!(sqlite, postgres);
    }
}
