//! One request as Cedar sees it: entities, linked grants, and the question put to the authorizer.

use std::collections::{BTreeSet, HashMap, HashSet};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicyId,
    PolicySet as CedarSet, Request, RestrictedExpression, Schema, SlotId,
};

use super::{ColumnUse, Matter, PolicySet, RoleOfUse};
use crate::contract::{Contract, Grant};
use crate::id::{ColumnName, DatasetName, Purpose};

/// One request as Cedar sees it: the entities, the linked grants and the context.
pub(super) struct Case {
    policies: CedarSet,
    entities: Entities,
    schema: Schema,
    principal: EntityUid,
    dataset: DatasetName,
    contract: EntityUid,
    purpose: EntityUid,
    approvals: u32,
}

/// Cedar did not take what we built; the caller refuses.
pub(super) struct CedarFault;

fn uid(kind: &str, id: &str) -> Result<EntityUid, CedarFault> {
    let kind: EntityTypeName = kind.parse().map_err(|_| CedarFault)?;
    Ok(EntityUid::from_type_name_and_id(kind, EntityId::new(id)))
}

fn text(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

fn entity(
    uid: &EntityUid,
    attributes: Vec<(&str, RestrictedExpression)>,
    parents: Vec<EntityUid>,
) -> Result<Entity, CedarFault> {
    let attributes: HashMap<_, _> = attributes.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
    Entity::new(uid.clone(), attributes, parents.into_iter().collect::<HashSet<_>>()).map_err(|_| CedarFault)
}

fn column_id(dataset: &DatasetName, column: &ColumnName) -> String {
    format!("{dataset}/{column}")
}

impl Case {
    pub(super) fn new(set: &PolicySet, matter: &Matter<'_>, purpose: &Purpose) -> Result<Self, CedarFault> {
        let contract = matter.terms();
        let org = uid("Org", contract.org.as_str())?;
        let dataset = uid("Dataset", &contract.dataset.to_string())?;
        let principal = uid("Person", matter.caller.person.as_str())?;
        let contract_uid = uid("Contract", contract.id.as_str())?;
        let joined = contract.joined().into_iter().map(|name| uid("Dataset", &name.to_string()));
        let joined = joined.collect::<Result<Vec<_>, _>>()?;
        let mut entities = vec![
            entity(&org, vec![], vec![])?,
            entity(
                &principal,
                vec![("role", text(matter.caller.role.as_str()))],
                vec![uid("Org", matter.caller.org.as_str())?],
            )?,
            contract_entity(&contract_uid, matter, (&org, &dataset, &joined))?,
        ];
        for dataset in std::iter::once(&dataset).chain(&joined) {
            entities.push(entity(dataset, vec![("frozen", RestrictedExpression::new_bool(matter.frozen))], vec![])?);
        }
        for (name, broader) in &set.purposes {
            let parents = broader.iter().map(|p| uid("Purpose", p.as_str())).collect::<Result<_, _>>()?;
            entities.push(entity(&uid("Purpose", name.as_str())?, vec![], parents)?);
        }
        entities.extend(column_entities(matter)?);
        let policies = linked(set, contract, (&org, &dataset, &joined))?;
        let other_org = uid("Org", matter.caller.org.as_str())?;
        if other_org != org {
            entities.push(entity(&other_org, vec![], vec![])?);
        }
        let entities = Entities::from_entities(entities, Some(&set.schema)).map_err(|_| CedarFault)?;
        Ok(Self {
            policies,
            entities,
            schema: set.schema.clone(),
            principal,
            dataset: matter.dataset.clone(),
            contract: contract_uid,
            purpose: uid("Purpose", purpose.as_str())?,
            approvals: matter.approvals,
        })
    }

    /// Whether the caller may ask anything of the dataset.
    pub(super) fn permits_asking(&self) -> bool {
        uid("Dataset", &self.dataset.to_string()).is_ok_and(|dataset| self.allows("ask", dataset))
    }

    /// Whether the caller may join another dataset to it.
    pub(super) fn permits_joining(&self, dataset: &DatasetName) -> bool {
        uid("Dataset", &dataset.to_string()).is_ok_and(|dataset| self.allows("join", dataset))
    }

    /// Whether the caller may use the column so.
    pub(super) fn permits(&self, column_use: &ColumnUse) -> bool {
        let action = format!("use.{}", column_use.role.as_str());
        let dataset = column_use.dataset.as_ref().unwrap_or(&self.dataset);
        uid("Column", &column_id(dataset, &column_use.column)).is_ok_and(|column| self.allows(&action, column))
    }

    /// Any error on the way is a no.
    fn allows(&self, action: &str, resource: EntityUid) -> bool {
        let asked = || -> Result<Request, CedarFault> {
            let action = uid("Action", action)?;
            let context = Context::from_pairs([
                ("purpose".to_owned(), RestrictedExpression::new_entity_uid(self.purpose.clone())),
                ("contract".to_owned(), RestrictedExpression::new_entity_uid(self.contract.clone())),
                ("approvals".to_owned(), RestrictedExpression::new_long(i64::from(self.approvals))),
            ])
            .map_err(|_| CedarFault)?;
            Request::new(self.principal.clone(), action, resource, context, Some(&self.schema)).map_err(|_| CedarFault)
        };
        let Ok(request) = asked() else { return false };
        let answer = Authorizer::new().is_authorized(&request, &self.policies, &self.entities);
        answer.decision() == Decision::Allow && answer.diagnostics().errors().next().is_none()
    }
}

fn grant_id(contract: &Contract, role: RoleOfUse) -> String {
    format!("{}/{}", contract.id, role.as_str())
}

/// A firm, the dataset of its contract, and those that it may join to that.
type Parties<'a> = (&'a EntityUid, &'a EntityUid, &'a [EntityUid]);

/// The policies with the contract's grants: to ask of its dataset, to join others, and to use columns in each role.
fn linked(set: &PolicySet, contract: &Contract, (org, dataset, joined): Parties<'_>) -> Result<CedarSet, CedarFault> {
    let mut policies = set.policies.clone();
    let mut link = |template: &str, what: &str, resource: EntityUid| {
        let slots = HashMap::from([(SlotId::principal(), org.clone()), (SlotId::resource(), resource)]);
        let (template, id) = (format!("grant-{template}"), format!("{}/{what}", contract.id));
        policies.link(PolicyId::new(template), PolicyId::new(id), slots).map_err(|_| CedarFault)
    };
    link("ask", "ask", dataset.clone())?;
    for (place, dataset) in joined.iter().enumerate() {
        link("joining", &format!("joining/{place}"), dataset.clone())?;
    }
    for role in RoleOfUse::ALL {
        link(role.as_str(), role.as_str(), uid("Grant", &grant_id(contract, role))?)?;
    }
    Ok(policies)
}

fn contract_entity(
    contract_uid: &EntityUid,
    matter: &Matter<'_>,
    (org, dataset, joined): Parties<'_>,
) -> Result<Entity, CedarFault> {
    let joined = joined.iter().map(|dataset| RestrictedExpression::new_entity_uid(dataset.clone()));
    let purposes = matter
        .terms()
        .purposes
        .iter()
        .map(|p| uid("Purpose", p.as_str()).map(RestrictedExpression::new_entity_uid))
        .collect::<Result<Vec<_>, _>>()?;
    let attributes = vec![
        ("org", RestrictedExpression::new_entity_uid(org.clone())),
        ("dataset", RestrictedExpression::new_entity_uid(dataset.clone())),
        ("joined", RestrictedExpression::new_set(joined)),
        ("purposes", RestrictedExpression::new_set(purposes)),
        ("active", RestrictedExpression::new_bool(matter.terms().in_force(matter.now_unix_s))),
        ("officers", RestrictedExpression::new_long(i64::from(matter.terms().risk_class.officers()))),
    ];
    entity(contract_uid, attributes, vec![])
}

fn column_entities(matter: &Matter<'_>) -> Result<Vec<Entity>, CedarFault> {
    let mut out = Vec::new();
    for role in RoleOfUse::ALL {
        out.push(entity(&uid("Grant", &grant_id(matter.terms(), role))?, vec![], vec![])?);
    }
    let columns: BTreeSet<_> = matter.uses.iter().map(|used| (&used.dataset, &used.column, used.identifier)).collect();
    for (other, column, identifier) in columns {
        let dataset = other.as_ref().unwrap_or(matter.dataset);
        let mut parents = vec![uid("Dataset", &dataset.to_string())?];
        // A grant without a dataset is one on the contract's own, whatever the request calls its own.
        let owner = |grant: &Grant| grant.dataset.as_ref().unwrap_or(&matter.terms().dataset) == dataset;
        for grant in matter.terms().grants.iter().filter(|grant| owner(grant) && grant.columns.contains(column)) {
            for role in &grant.roles {
                parents.push(uid("Grant", &grant_id(matter.terms(), *role))?);
            }
        }
        let attributes = vec![("identifier", RestrictedExpression::new_bool(identifier))];
        out.push(entity(&uid("Column", &column_id(dataset, column))?, attributes, parents)?);
    }
    Ok(out)
}
