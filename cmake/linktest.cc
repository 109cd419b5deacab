// Links a whole library with its declared dependencies only; see add_module.
int main() {
  return 0;
}
