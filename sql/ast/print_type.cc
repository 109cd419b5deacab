// Data types as text.
#include "sql/ast/print.h"

namespace borealis::sql {

namespace {

std::string_view BaseName(TypeKind kind) {
  switch (kind) {
    case TypeKind::kTinyInt:
      return "tinyint";
    case TypeKind::kSmallInt:
      return "smallint";
    case TypeKind::kMediumInt:
      return "mediumint";
    case TypeKind::kInt:
      return "int";
    case TypeKind::kBigInt:
      return "bigint";
    case TypeKind::kDecimal:
      return "decimal";
    case TypeKind::kFloat:
      return "float";
    case TypeKind::kDouble:
      return "double";
    case TypeKind::kBit:
      return "bit";
    case TypeKind::kDate:
      return "date";
    case TypeKind::kTime:
      return "time";
    case TypeKind::kDatetime:
      return "datetime";
    case TypeKind::kTimestamp:
      return "timestamp";
    case TypeKind::kYear:
      return "year";
    case TypeKind::kChar:
      return "char";
    case TypeKind::kVarchar:
      return "varchar";
    case TypeKind::kTinyText:
      return "tinytext";
    case TypeKind::kText:
      return "text";
    case TypeKind::kMediumText:
      return "mediumtext";
    case TypeKind::kLongText:
      return "longtext";
    case TypeKind::kBinary:
      return "binary";
    case TypeKind::kVarbinary:
      return "varbinary";
    case TypeKind::kTinyBlob:
      return "tinyblob";
    case TypeKind::kBlob:
      return "blob";
    case TypeKind::kMediumBlob:
      return "mediumblob";
    case TypeKind::kLongBlob:
      return "longblob";
    case TypeKind::kEnum:
      return "enum";
    case TypeKind::kSet:
      return "set";
    case TypeKind::kJson:
      return "json";
    case TypeKind::kGeometry:
      return "geometry";
    case TypeKind::kPoint:
      return "point";
    case TypeKind::kLineString:
      return "linestring";
    case TypeKind::kPolygon:
      return "polygon";
    case TypeKind::kMultiPoint:
      return "multipoint";
    case TypeKind::kMultiLineString:
      return "multilinestring";
    case TypeKind::kMultiPolygon:
      return "multipolygon";
    case TypeKind::kGeometryCollection:
      return "geomcollection";
  }
  return "";
}

std::string Lengths(const TypeName& type) {
  if (!type.length) {
    return "";
  }
  std::string out = "(" + std::to_string(*type.length);
  if (type.scale) {
    out += "," + std::to_string(*type.scale);
  }
  return out + ")";
}

}  // namespace

std::string PrintType(const TypeName& type) {
  std::string out(BaseName(type.kind));
  if (type.kind == TypeKind::kEnum || type.kind == TypeKind::kSet) {
    out += "(";
    bool first = true;
    for (const std::string& value : type.values) {
      out += first ? "" : ",";
      first = false;
      out += QuoteString(value);
    }
    return out + ")";
  }
  out += Lengths(type);
  if (type.is_unsigned || type.zerofill) {
    out += " unsigned";
  }
  if (type.zerofill) {
    out += " zerofill";
  }
  return out;
}

std::string PrintCastType(const TypeName& type) {
  switch (type.kind) {
    case TypeKind::kBigInt:
      return type.is_unsigned ? "unsigned" : "signed";
    case TypeKind::kBinary:
      return "char" + Lengths(type) + " charset binary";
    case TypeKind::kChar: {
      std::string out = "char" + Lengths(type);
      if (type.national) {
        out += " charset utf8mb3";
      } else if (!type.charset.empty()) {
        out += " charset " + PrintCharsetName(type.charset);
      }
      if (type.binary_collation) {
        out += " binary";
      }
      return out;
    }
    default:
      return std::string(BaseName(type.kind)) + Lengths(type);
  }
}

}  // namespace borealis::sql
