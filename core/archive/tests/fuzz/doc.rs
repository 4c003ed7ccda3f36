//! An archive taken apart into its fields, each as it is written, so that one can be changed or lied about by itself.
//! Nothing of the code under test is used for it.

/// What a field is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Byte,
    Int,
    /// A length and its bytes: a string, or a chunk.
    Text,
    /// A state and eight bytes.
    Offset,
}

/// One field with its written form.
#[derive(Clone, Debug)]
pub struct Field {
    pub kind: Kind,
    pub bytes: Vec<u8>,
}

/// A run of chunks; in a block of large objects it has an oid.
#[derive(Clone, Debug, Default)]
pub struct Run {
    pub oid: Option<Field>,
    pub chunks: Vec<Field>,
}

/// A block: its kind, its dump id, its runs.
#[derive(Clone, Debug)]
pub struct Block {
    pub kind: Field,
    pub dump_id: Field,
    pub runs: Vec<Run>,
}

/// An archive.
#[derive(Clone, Debug, Default)]
pub struct Doc {
    pub header: Vec<Field>,
    /// A count of entries which is a lie.
    pub count: Option<Field>,
    pub entries: Vec<Vec<Field>>,
    pub blocks: Vec<Block>,
}

/// Encodes an int.
pub fn int(value: i64) -> Field {
    let [a, b, c, d, ..] = value.unsigned_abs().to_le_bytes();
    let bytes = vec![u8::from(value < 0), a, b, c, d];
    Field {
        kind: Kind::Int,
        bytes,
    }
}

/// Encodes a string or chunk.
pub fn text(content: &[u8]) -> Field {
    let mut bytes = int(content.len() as i64).bytes;
    bytes.extend_from_slice(content);
    Field {
        kind: Kind::Text,
        bytes,
    }
}

impl Field {
    /// The bytes behind the length.
    pub fn content(&self) -> &[u8] {
        self.bytes.get(5..).unwrap_or_default()
    }
}

impl Doc {
    /// Takes an archive apart; `None` when it is not whole.
    pub fn parse(archive: &[u8]) -> Option<Self> {
        let mut parts = Parts { rest: archive };
        let (header, minor) = parts.header()?;
        let count = parts.number()?.1;
        let entries = (0..count)
            .map(|_| parts.entry(minor))
            .collect::<Option<_>>()?;
        let mut blocks = Vec::new();
        // What follows the blocks is left out: a table of contents told twice.
        while parts.rest.first().is_some_and(|kind| [1, 3].contains(kind)) {
            blocks.push(parts.block()?);
        }
        Some(Self {
            header,
            count: None,
            entries,
            blocks,
        })
    }

    /// Puts it together.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut put = |field: &Field| out.extend_from_slice(&field.bytes);
        self.header.iter().for_each(&mut put);
        put(self
            .count
            .as_ref()
            .unwrap_or(&int(self.entries.len() as i64)));
        self.entries.iter().flatten().for_each(&mut put);
        for block in &self.blocks {
            put(&block.kind);
            put(&block.dump_id);
            for run in &block.runs {
                run.oid.iter().for_each(&mut put);
                run.chunks.iter().for_each(&mut put);
                put(&int(0));
            }
            if block.kind.bytes == [3] {
                put(&int(0));
            }
        }
        out
    }

    /// Which algorithm the header says, as 1.15 numbers them.
    pub fn algorithm(&self) -> u8 {
        match self
            .header
            .get(6)
            .map(|field| (field.kind, &field.bytes[..]))
        {
            Some((Kind::Byte, [number])) => *number,
            Some((_, bytes)) => u8::from(bytes != [0; 5]),
            None => 0,
        }
    }
}

struct Parts<'a> {
    rest: &'a [u8],
}

impl Parts<'_> {
    fn take(&mut self, kind: Kind, length: usize) -> Option<Field> {
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(Field {
            kind,
            bytes: bytes.to_vec(),
        })
    }

    fn byte(&mut self) -> Option<Field> {
        self.take(Kind::Byte, 1)
    }

    fn number(&mut self) -> Option<(Field, i64)> {
        let field = self.take(Kind::Int, 5)?;
        let magnitude = i64::from(u32::from_le_bytes(field.bytes[1..].try_into().ok()?));
        let number = if field.bytes[0] == 0 {
            magnitude
        } else {
            -magnitude
        };
        Some((field, number))
    }

    /// The field, and whether it was not NULL.
    fn text(&mut self) -> Option<(Field, bool)> {
        let start = self.rest;
        let length = self.number()?.1;
        self.rest = start;
        let field = self.take(Kind::Text, 5 + usize::try_from(length).unwrap_or(0))?;
        Some((field, length >= 0))
    }

    fn header(&mut self) -> Option<(Vec<Field>, u8)> {
        let mut fields = vec![self.take(Kind::Byte, 5)?];
        for _ in 0..3 {
            fields.push(self.byte()?);
        }
        let minor = fields[2].bytes[0];
        fields.push(self.take(Kind::Byte, 2)?);
        fields.push(self.byte()?);
        fields.push(if minor > 14 {
            self.byte()?
        } else {
            self.number()?.0
        });
        for _ in 0..7 {
            fields.push(self.number()?.0);
        }
        for _ in 0..3 {
            fields.push(self.text()?.0);
        }
        Some((fields, minor))
    }

    fn entry(&mut self, minor: u8) -> Option<Vec<Field>> {
        let mut fields = vec![self.number()?.0, self.number()?.0];
        for _ in 0..4 {
            fields.push(self.text()?.0);
        }
        fields.push(self.number()?.0);
        for _ in 0..6 {
            fields.push(self.text()?.0);
        }
        if minor > 15 {
            fields.push(self.number()?.0);
        }
        fields.push(self.text()?.0);
        fields.push(self.text()?.0);
        loop {
            let (dependency, is_there) = self.text()?;
            fields.push(dependency);
            if !is_there {
                break;
            }
        }
        fields.push(self.take(Kind::Offset, 9)?);
        Some(fields)
    }

    fn block(&mut self) -> Option<Block> {
        let kind = self.byte()?;
        let dump_id = self.number()?.0;
        let mut runs = Vec::new();
        if kind.bytes == [1] {
            runs.push(self.run(None)?);
        } else {
            loop {
                let (oid, number) = self.number()?;
                if number == 0 {
                    break;
                }
                runs.push(self.run(Some(oid))?);
            }
        }
        Some(Block {
            kind,
            dump_id,
            runs,
        })
    }

    fn run(&mut self, oid: Option<Field>) -> Option<Run> {
        let mut chunks = Vec::new();
        loop {
            let chunk = self.text()?.0;
            if chunk.bytes == [0; 5] {
                return Some(Run { oid, chunks });
            }
            chunks.push(chunk);
        }
    }
}
