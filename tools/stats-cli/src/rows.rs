//! Rows on standard input: CSV, with or without a line of names, or one JSON object a line.

use crate::Failure;
use serde_json::{Map, Value};

/// The named columns of each row, as text.
pub(crate) fn rows<const N: usize>(input: &str, names: [&str; N]) -> Result<Vec<[String; N]>, Failure> {
    let mut places: Option<[usize; N]> = None;
    let mut rows = Vec::new();
    for (index, line) in input.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let fail = |what: String| format!("line {}: {what}", index + 1);
        if line.starts_with('{') {
            rows.push(from_json(line, &names).map_err(fail)?);
            continue;
        }
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        if rows.is_empty()
            && places.is_none()
            && let Some(found) = header(&fields, &names)
        {
            places = Some(found);
            continue;
        }
        let places = places.get_or_insert_with(|| std::array::from_fn(|place| place));
        let picked: Option<Vec<String>> = places
            .iter()
            .map(|&place| fields.get(place).map(|&field| field.to_owned()))
            .collect();
        let row = picked.and_then(|row| <[String; N]>::try_from(row).ok());
        rows.push(row.ok_or_else(|| fail(format!("{} fields are needed: {}", N, names.join(", "))))?);
    }
    if rows.is_empty() {
        return Err(format!("rows are needed on standard input: {}", names.join(", ")));
    }
    Ok(rows)
}

fn header<const N: usize>(fields: &[&str], names: &[&str; N]) -> Option<[usize; N]> {
    let places: Option<Vec<usize>> = names
        .iter()
        .map(|name| fields.iter().position(|field| field.eq_ignore_ascii_case(name)))
        .collect();
    places?.try_into().ok()
}

fn from_json<const N: usize>(line: &str, names: &[&str; N]) -> Result<[String; N], Failure> {
    let object: Map<String, Value> = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let fields: Result<Vec<String>, Failure> = names
        .iter()
        .map(|name| match object.get(*name) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(value.to_string()),
            _ => Err(format!("\"{name}\" is missing")),
        })
        .collect();
    fields?.try_into().map_err(|_| String::from("a field is missing"))
}

/// What belongs to control and to treatment, in the rows' order.
pub(crate) fn arms<T>(rows: Vec<(String, T)>) -> Result<[Vec<T>; 2], Failure> {
    let mut names: Vec<String> = Vec::new();
    for (arm, _) in &rows {
        if !names.contains(arm) {
            names.push(arm.clone());
        }
    }
    names.sort_by_key(|name| name != "control");
    let [control, _] = names.as_slice() else {
        return Err(format!("two arms are needed, not {}", names.len()));
    };
    let (a, b): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(arm, _)| arm == control);
    let values = |rows: Vec<(String, T)>| rows.into_iter().map(|(_, value)| value).collect();
    Ok([values(a), values(b)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &str) -> Result<Vec<[String; 2]>, Failure> {
        rows(input, ["arm", "value"])
    }

    #[test]
    fn three_forms_say_the_same() {
        let plain = read("a,1\n\nb, 2\n").unwrap();
        assert_eq!(plain, read("value,Arm\n1,a\n2,b").unwrap());
        assert_eq!(
            plain,
            read("{\"arm\":\"a\",\"value\":1}\n{\"arm\":\"b\",\"value\":\"2\"}").unwrap()
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        assert_eq!(read("a,1\nb").unwrap_err(), "line 2: 2 fields are needed: arm, value");
        assert_eq!(read("{\"arm\":\"a\"}").unwrap_err(), "line 1: \"value\" is missing");
        assert_eq!(
            read(" \n").unwrap_err(),
            "rows are needed on standard input: arm, value"
        );
    }

    #[test]
    fn control_is_called_so_or_comes_first() {
        let rows =
            |names: [&'static str; 3]| -> Vec<_> { names.into_iter().map(|name| (String::from(name), name)).collect() };
        assert_eq!(arms(rows(["x", "y", "x"])).unwrap(), [vec!["x", "x"], vec!["y"]]);
        assert_eq!(
            arms(rows(["x", "control", "x"])).unwrap(),
            [vec!["control"], vec!["x", "x"]]
        );
        assert!(arms(rows(["x", "y", "z"])).is_err() && arms(rows(["x", "x", "x"])).is_err());
    }
}
