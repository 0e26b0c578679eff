//! `huimin create-officer` (新建账号): the first accounts of a house, from the console of the machine it runs on.
//!
//! Guarantees: the password is read from standard input, never from the command line, where others could see it; the
//! account must change it at the first sign-in. Deliberately absent: later changes; an administrator makes them in the page.

use crate::settings::Data;
use crate::terminal::say;
use access::{Door, NewOfficer, PasswordCost, PasswordPolicy, Role, Scope};
use anyhow::{Context, bail};
use clap::Args;
use vocab::Region;

/// The new account (新账号).
#[derive(Debug, Args)]
pub(crate) struct CreateOfficer {
    #[command(flatten)]
    data: Data,
    /// The account name (账号).
    #[arg(long)]
    login: String,
    /// The officer's name (姓名).
    #[arg(long)]
    name: String,
    /// `ROLE@REGION`, e.g. `administrator@440306`; may be given several times (岗位).
    #[arg(long = "role", required = true)]
    roles: Vec<String>,
}

impl CreateOfficer {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let roles = self
            .roles
            .iter()
            .map(|text| read_role(text))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let mut password = String::new();
        std::io::stdin()
            .read_line(&mut password)
            .context("读取密码 (reading the password)")?;
        let password = password.trim_end_matches(['\r', '\n']);
        let db = self.data.open().await?;
        let mut tx = db.begin().await?;
        let scope = Scope::system(Region::NATION);
        let door = Door::new(PasswordCost::STRONG, PasswordPolicy::default())?;
        let new = NewOfficer {
            login: self.login.clone(),
            name: self.name,
            person_number: None,
            must_change: true,
        };
        let officer = match access::create_officer(&mut tx, &scope, &door, new, password).await? {
            Ok(officer) => officer,
            Err(refused) => bail!("{refused}"),
        };
        for (role, region) in roles {
            if let Err(refused) = access::grant_role(&mut tx, &scope, officer, role, region).await?
            {
                bail!("{refused}");
            }
        }
        tx.commit().await?;
        say(&format!(
            "已新建账号 {}，首次登录须更改密码 (made; the password must be changed at first sign-in)",
            self.login
        ));
        Ok(())
    }
}

fn read_role(text: &str) -> anyhow::Result<(Role, Region)> {
    let (role, region) = text
        .split_once('@')
        .context("岗位写作 ROLE@REGION，例如 administrator@440306")?;
    let region = region
        .parse()
        .with_context(|| format!("{region} 不是区划代码 (no division code)"))?;
    Ok((role.parse()?, region))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_names_its_region() {
        let (role, region) = read_role("finance@990101").unwrap();
        assert_eq!(
            (role, region.to_string().as_str()),
            (Role::Finance, "990101000000")
        );
        assert!(read_role("finance").is_err());
        assert!(read_role("boss@990101").is_err());
    }
}
