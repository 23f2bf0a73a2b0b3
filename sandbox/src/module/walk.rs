//! One pass over a module's sections: what the rules of [`super::Module::check`] need to know, and digests for diffs.

use std::ops::Range;

use glovebox_wire::abi;
use wasmparser::{
    BinaryReaderError, CompositeInnerType, Encoding, Export, ExternalKind, FunctionBody, MemoryType, Operator, Parser,
    Payload, RefType, TableType, TypeRef, ValType,
};

use super::{MAX_CUSTOM_SECTIONS, MAX_FUNCTIONS, MAX_NESTED_LOOPS, MAX_NESTING, ModuleFault, printable, sha256};

/// The two types of function that the ABI knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// `() -> i32`
    Constant,
    /// `(i32) -> i32`
    Map,
}

/// What one pass found.
#[derive(Default)]
pub(super) struct Walk<'m> {
    /// Shape of each type, if it is one that the ABI knows.
    types: Vec<Option<Shape>>,
    /// Type of each function. Nothing is imported, so that function `i` has the body `i`.
    functions: Vec<u32>,
    memories: Vec<MemoryType>,
    tables: Vec<TableType>,
    pub(super) exports: Vec<Export<'m>>,
    pub(super) bodies: Vec<FunctionBody<'m>>,
    /// Contents of the section `gbx.schema`.
    pub(super) schema: Option<Vec<u8>>,
    pub(super) sections: Vec<(String, [u8; 32])>,
    customs: usize,
}

impl<'m> Walk<'m> {
    /// Reads a module. Not a validation: that comes after.
    pub(super) fn over(bytes: &'m [u8]) -> Result<Self, ModuleFault> {
        let mut walk = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload.map_err(ModuleFault::invalid)?;
            walk.digest(&payload, bytes);
            walk.read(payload)?;
        }
        walk.check_memory()?;
        walk.check_table()?;
        Ok(walk)
    }

    fn read(&mut self, payload: Payload<'m>) -> Result<(), ModuleFault> {
        match payload {
            Payload::Version { encoding: Encoding::Component, .. } => return Err(ModuleFault::Component),
            Payload::TypeSection(types) => {
                for group in types {
                    let group = group.map_err(ModuleFault::invalid)?;
                    self.types.extend(group.types().map(|of| shape(&of.composite_type.inner)));
                }
            }
            Payload::ImportSection(imports) => {
                if let Some(import) = imports.into_imports().next() {
                    let import = import.map_err(ModuleFault::invalid)?;
                    return Err(ModuleFault::Import(name_of(import.module, import.name, import.ty)));
                }
            }
            Payload::FunctionSection(functions) => {
                if functions.count() as usize > MAX_FUNCTIONS {
                    return Err(ModuleFault::TooManyFunctions);
                }
                self.functions = all(functions)?;
            }
            Payload::MemorySection(memories) => self.memories = all(memories)?,
            Payload::TableSection(tables) => {
                self.tables = all(tables)?.into_iter().map(|table| table.ty).collect();
            }
            Payload::ExportSection(exports) => self.exports = all(exports)?,
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::TagSection(_) => return Err(ModuleFault::Tags),
            Payload::StartSection { .. } => return Err(ModuleFault::Start),
            Payload::CustomSection(section) => self.read_custom(section.name(), section.data())?,
            _ => {}
        }
        Ok(())
    }

    fn read_custom(&mut self, name: &str, data: &[u8]) -> Result<(), ModuleFault> {
        self.customs += 1;
        if self.customs > MAX_CUSTOM_SECTIONS {
            return Err(ModuleFault::TooManySections);
        }
        let again = name == abi::SCHEMA_SECTION && self.schema.replace(data.to_vec()).is_some();
        if again { Err(ModuleFault::Schema) } else { Ok(()) }
    }

    fn digest(&mut self, payload: &Payload<'m>, bytes: &[u8]) {
        let of = |range: Range<usize>| bytes.get(range).map(sha256);
        let entry = match payload {
            Payload::CodeSectionEntry(body) => of(body.range()).map(|d| (format!("code[{}]", self.bodies.len()), d)),
            Payload::CustomSection(section) => {
                of(section.range()).map(|d| (format!("custom `{}`", printable(section.name())), d))
            }
            other => other.as_section().and_then(|(id, range)| Some((section_name(id).to_owned(), of(range)?))),
        };
        self.sections.extend(entry);
    }

    fn check_memory(&self) -> Result<(), ModuleFault> {
        self.memory_bytes().map(|_| ())
    }

    /// Size of the one memory.
    pub(super) fn memory_bytes(&self) -> Result<u64, ModuleFault> {
        let [memory] = self.memories.as_slice() else { return Err(ModuleFault::Memory) };
        let fixed = memory.maximum == Some(memory.initial);
        let plain = !memory.memory64 && !memory.shared && memory.page_size_log2.is_none();
        let fits = (1..=u64::from(abi::MAX_PAGES)).contains(&memory.initial);
        if fixed && plain && fits { Ok(memory.initial * u64::from(abi::PAGE_BYTES)) } else { Err(ModuleFault::Memory) }
    }

    fn check_table(&self) -> Result<(), ModuleFault> {
        let fits = match self.tables.as_slice() {
            [] => true,
            [table] => {
                let fixed = table.maximum == Some(table.initial) && table.initial <= u64::from(abi::MAX_TABLE_ELEMENTS);
                fixed && table.element_type == RefType::FUNCREF && !table.table64 && !table.shared
            }
            _ => false,
        };
        if fits { Ok(()) } else { Err(ModuleFault::Table) }
    }

    /// Whether no function nests too deep. Asked of a valid module only, in which every `end` has its beginning.
    pub(super) fn check_nesting(&self) -> Result<(), ModuleFault> {
        for (number, body) in self.bodies.iter().enumerate() {
            if is_too_deep(body).map_err(ModuleFault::invalid)? {
                return Err(ModuleFault::TooDeep(number));
            }
        }
        Ok(())
    }

    pub(super) fn export(&self, name: &str) -> Option<&Export<'m>> {
        self.exports.iter().find(|export| export.name == name)
    }

    /// Whether an export is a function of this shape.
    pub(super) fn has_type(&self, export: &Export<'_>, shape: Shape) -> bool {
        let of = self.functions.get(export.index as usize).and_then(|of| self.types.get(*of as usize));
        export.kind == ExternalKind::Func && of == Some(&Some(shape))
    }

    /// What an exported constant function returns, read from its code.
    pub(super) fn constant(&self, name: &'static str) -> Result<i32, ModuleFault> {
        let export = self.export(name).ok_or(ModuleFault::MissingExport(name))?;
        let body = self.bodies.get(export.index as usize).ok_or(ModuleFault::NotConstant(name))?;
        constant_of(body).ok_or(ModuleFault::NotConstant(name))
    }
}

fn is_too_deep(body: &FunctionBody<'_>) -> Result<bool, BinaryReaderError> {
    let mut operators = body.get_operators_reader()?;
    // For each construct that is open, whether it is a loop.
    let (mut open, mut loops) = (Vec::new(), 0_usize);
    while !operators.eof() {
        match operators.read()? {
            Operator::Block { .. } | Operator::If { .. } => open.push(false),
            Operator::Loop { .. } => {
                open.push(true);
                loops += 1;
            }
            Operator::End => loops -= usize::from(open.pop() == Some(true)),
            _ => {}
        }
        if open.len() > MAX_NESTING || loops > MAX_NESTED_LOOPS {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `i32.const N`, perhaps `return`, and the end.
fn constant_of(body: &FunctionBody<'_>) -> Option<i32> {
    if body.get_locals_reader().ok()?.get_count() != 0 {
        return None;
    }
    let mut operators = body.get_operators_reader().ok()?;
    let Operator::I32Const { value } = operators.read().ok()? else { return None };
    let mut next = operators.read().ok()?;
    if matches!(next, Operator::Return) {
        next = operators.read().ok()?;
    }
    (matches!(next, Operator::End) && operators.eof()).then_some(value)
}

fn shape(of: &CompositeInnerType) -> Option<Shape> {
    let CompositeInnerType::Func(of) = of else { return None };
    match (of.params(), of.results()) {
        ([], [ValType::I32]) => Some(Shape::Constant),
        ([ValType::I32], [ValType::I32]) => Some(Shape::Map),
        _ => None,
    }
}

fn name_of(module: &str, name: &str, of: TypeRef) -> String {
    let kind = match of {
        TypeRef::Func(_) | TypeRef::FuncExact(_) => "function",
        TypeRef::Table(_) => "table",
        TypeRef::Memory(_) => "memory",
        TypeRef::Global(_) => "global",
        TypeRef::Tag(_) => "tag",
    };
    format!("{kind} {}.{}", printable(module), printable(name))
}

fn all<'m, T: wasmparser::FromReader<'m>>(section: wasmparser::SectionLimited<'m, T>) -> Result<Vec<T>, ModuleFault> {
    section.into_iter().collect::<Result<_, _>>().map_err(ModuleFault::invalid)
}

/// Names of the specification for the sections that can come.
fn section_name(id: u8) -> &'static str {
    match id {
        1 => "type",
        2 => "import",
        3 => "function",
        4 => "table",
        5 => "memory",
        6 => "global",
        7 => "export",
        8 => "start",
        9 => "element",
        10 => "code",
        11 => "data",
        12 => "data count",
        13 => "tag",
        _ => "other",
    }
}
